#include "core/health/dial.h"

#include <fcntl.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cctype>
#include <charconv>

#include "core/base/async/clock.h"
#include "core/base/async/signal.h"

namespace devstack::health {
namespace {

using asio::ip::tcp;
using boost::system::error_code;
using Time = std::chrono::steady_clock;
using Socket = std::unique_ptr<tcp::socket>;
using Endpoints = std::vector<tcp::endpoint>;

/// A port as number or as name (/etc/services), as Go takes both.
std::optional<std::uint16_t> port_number(const std::string& text) {
  std::uint16_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (!text.empty() && error == std::errc() && at == end) return number;
  servent entry{};
  servent* found = nullptr;
  std::array<char, 1024> room{};
  if (::getservbyname_r(text.c_str(), "tcp", &entry, room.data(), room.size(), &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return ntohs(static_cast<std::uint16_t>(found->s_port));
}

asio::awaitable<error_code> connect_to(tcp::socket& socket, tcp::endpoint where) {
  error_code error;
  socket.close(error);
  socket.open(where.protocol(), error);
  if (error) co_return error;
  ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
  co_await socket.async_connect(where, asio::redirect_error(asio::use_awaitable, error));
  co_return error;
}

/// The same until `limit`: asio::error::timed_out.
asio::awaitable<error_code> connect_until(tcp::socket& socket, tcp::endpoint where, Time::time_point limit) {
  using namespace asio::experimental::awaitable_operators;
  const auto ended = co_await (connect_to(socket, where) || steady_clock().sleep_until(limit));
  if (ended.index() == 0) co_return std::get<0>(ended);
  co_return Time::now() >= limit ? asio::error::timed_out : asio::error::operation_aborted;
}

/// One question to the system's resolver. Asio asks it on a thread of its own, which nothing can interrupt while the
/// name servers are silent: so nobody waits for the thread itself, and whoever still needs this holds it.
struct Lookup {
  explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), done(executor) {}
  tcp::resolver resolver;
  Signal done;
  error_code error;
  tcp::resolver::results_type found;
};

/// Takes a question back that still waits for its turn on that thread.
struct CancelAtExit {
  std::shared_ptr<Lookup> lookup;
  ~CancelAtExit() { lookup->resolver.cancel(); }
};

}  // namespace

Result<HostPort> split_host_port(std::string_view text) {
  const auto bad = [text](std::string_view why) { return fail(Errc::invalid_argument, "address {}: {}", text, why); };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad("missing port in address");
  HostPort out;
  out.port = text.substr(colon + 1);
  auto host = text.substr(0, colon);
  if (text.starts_with('[')) {
    if (!host.ends_with(']')) return bad(text.ends_with(']') ? "missing port in address" : "missing ']' in address");
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return bad("too many colons in address");
  }
  out.host = host;
  return out;
}

std::string join_host_port(std::string_view host, std::string_view port) {
  const bool v6 = host.find(':') != std::string_view::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

asio::awaitable<Result<Endpoints>> resolve(HostPort where, Time::time_point deadline) {
  const auto port = port_number(where.port);
  if (!port) co_return fail(Errc::invalid_argument, "lookup tcp/{}: unknown port", where.port);
  error_code error;
  const auto literal = asio::ip::make_address(where.host, error);
  if (!error) co_return Endpoints{tcp::endpoint(literal, *port)};
  if (where.host == "localhost" || where.host.empty()) {  // ":80" is this machine in Go
    co_return Endpoints{tcp::endpoint(asio::ip::address_v4::loopback(), *port),
                        tcp::endpoint(asio::ip::address_v6::loopback(), *port)};
  }
  const auto executor = co_await asio::this_coro::executor;
  const auto lookup = std::make_shared<Lookup>(executor);
  const CancelAtExit cancel{lookup};
  lookup->resolver.async_resolve(where.host, std::to_string(*port),
                                 tcp::resolver::numeric_service | tcp::resolver::address_configured,
                                 [lookup](error_code failed, tcp::resolver::results_type results) {
                                   lookup->error = failed;
                                   lookup->found = std::move(results);
                                   lookup->done.bump();
                                 });
  const bool ended = co_await lookup->done.wait_past(0, deadline);
  if (!ended && Time::now() < deadline) co_return fail(Errc::cancelled, "cancelled");
  if (!ended) co_return fail(Errc::timeout, "lookup {}: i/o timeout", where.host);
  error = lookup->error;
  if (error || lookup->found.empty()) {
    const bool unknown = !error || error == asio::error::host_not_found || error == asio::error::no_data;
    co_return fail(Errc::not_found, "lookup {}: {}", where.host,
                   unknown ? std::string("no such host") : go_words(error.message()));
  }
  Endpoints found;
  for (const auto& entry : lookup->found) found.push_back(entry.endpoint());
  co_return found;
}

Time::time_point share_until(Time::time_point now, Time::time_point deadline, std::size_t addresses) {
  const auto left = deadline - now;
  const Time::duration share = left / static_cast<Time::rep>(std::max<std::size_t>(addresses, 1));
  return now + std::min(left, std::max<Time::duration>(share, least_share));
}

asio::awaitable<Result<Socket>> dial(std::string address, Time::time_point deadline) {
  auto where = split_host_port(address);
  if (!where) co_return fail(where.error().code, "dial tcp: {}", where.error().message);
  const auto found = co_await resolve(std::move(*where), deadline);
  if (!found) co_return fail(found.error().code, "dial tcp: {}", found.error().message);
  auto socket = std::make_unique<tcp::socket>(co_await asio::this_coro::executor);
  std::optional<Error> first;
  for (std::size_t i = 0; i < found->size(); ++i) {
    const auto endpoint = (*found)[i];
    const auto limit = share_until(Time::now(), deadline, found->size() - i);
    const auto error = co_await connect_until(*socket, endpoint, limit);
    if (!error) co_return std::move(socket);
    if (error == asio::error::operation_aborted) co_return fail(Errc::cancelled, "cancelled");
    const bool late = error == asio::error::timed_out;
    if (!first && late) first = Error{Errc::timeout, fmt::format("dial tcp {}: i/o timeout", to_text(endpoint))};
    if (!first) {
      first = Error{Errc::unavailable,
                    fmt::format("dial tcp {}: connect: {}", to_text(endpoint), go_words(error.message()))};
    }
    if (Time::now() >= deadline) break;
  }
  co_return tl::unexpected(std::move(*first));
}

std::string go_words(std::string_view system_message) {
  std::string words(system_message);
  // "Connection refused", but "Input/output error" and names in capitals stay readable: only the first letter differs.
  if (!words.empty()) words[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(words[0])));
  return words;
}

std::string to_text(const tcp::endpoint& endpoint) {
  return join_host_port(endpoint.address().to_string(), std::to_string(endpoint.port()));
}

}  // namespace devstack::health
