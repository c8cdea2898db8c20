#include "core/health/dial.h"

#include <fcntl.h>
#include <netdb.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cctype>
#include <charconv>

#include "core/base/async/clock.h"

namespace devstack::health {
namespace {

using asio::ip::tcp;
using boost::system::error_code;
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

asio::awaitable<Result<Socket>> dial_without_deadline(std::string address) {
  const auto where = split_host_port(address);
  if (!where) co_return fail(where.error().code, "dial tcp: {}", where.error().message);
  const HostPort wanted = *where;
  const auto found = co_await resolve(wanted);
  if (!found) co_return fail(found.error().code, "dial tcp: {}", found.error().message);
  auto socket = std::make_unique<tcp::socket>(co_await asio::this_coro::executor);
  std::string first_error;
  for (const auto& endpoint : *found) {
    const auto error = co_await connect_to(*socket, endpoint);
    if (!error) co_return std::move(socket);
    if (error == asio::error::operation_aborted) co_return fail(Errc::cancelled, "cancelled");
    if (first_error.empty()) {
      first_error = fmt::format("dial tcp {}: connect: {}", to_text(endpoint), go_words(error.message()));
    }
  }
  co_return fail(Errc::unavailable, "{}", first_error);
}

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

asio::awaitable<Result<Endpoints>> resolve(HostPort where) {
  const auto port = port_number(where.port);
  if (!port) co_return fail(Errc::invalid_argument, "lookup tcp/{}: unknown port", where.port);
  error_code error;
  const auto literal = asio::ip::make_address(where.host, error);
  if (!error) co_return Endpoints{tcp::endpoint(literal, *port)};
  if (where.host == "localhost" || where.host.empty()) {  // ":80" is this machine in Go
    co_return Endpoints{tcp::endpoint(asio::ip::address_v4::loopback(), *port),
                        tcp::endpoint(asio::ip::address_v6::loopback(), *port)};
  }
  tcp::resolver resolver(co_await asio::this_coro::executor);
  const auto results = co_await resolver.async_resolve(
      where.host, std::to_string(*port), tcp::resolver::numeric_service | tcp::resolver::address_configured,
      asio::redirect_error(asio::use_awaitable, error));
  if (error == asio::error::operation_aborted) co_return fail(Errc::cancelled, "cancelled");
  if (error || results.empty()) {
    const bool unknown = !error || error == asio::error::host_not_found || error == asio::error::no_data;
    co_return fail(Errc::not_found, "lookup {}: {}", where.host,
                   unknown ? std::string("no such host") : go_words(error.message()));
  }
  Endpoints found;
  for (const auto& entry : results) found.push_back(entry.endpoint());
  co_return found;
}

asio::awaitable<Result<Socket>> dial(std::string address, std::chrono::steady_clock::time_point deadline) {
  using namespace asio::experimental::awaitable_operators;
  auto first = co_await (dial_without_deadline(address) || steady_clock().sleep_until(deadline));
  if (first.index() == 0) co_return std::move(std::get<0>(first));
  co_return fail(Errc::timeout, "dial tcp {}: i/o timeout", address);
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
