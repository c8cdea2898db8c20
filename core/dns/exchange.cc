#include "core/dns/exchange.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>

#include "core/dns/name.h"

namespace devstack::dns {
namespace {

using Packet = std::vector<std::uint8_t>;
using asio::ip::tcp;
using asio::ip::udp;

/// A socket that is closed at its deadline. Shared with the timer's handler, which may still be queued at the end.
template <class Socket>
struct Timed {
  explicit Timed(const asio::any_io_executor& executor) : socket(executor), timer(executor) {}
  Socket socket;
  asio::steady_timer timer;
  bool expired = false;

  static std::shared_ptr<Timed> start(const asio::any_io_executor& executor, std::chrono::milliseconds limit) {
    auto self = std::make_shared<Timed>(executor);
    self->timer.expires_after(limit);
    self->timer.async_wait([self](const boost::system::error_code& error) {
      if (error) return;
      self->expired = true;
      boost::system::error_code ignored;
      self->socket.close(ignored);
    });
    return self;
  }
};

/// Ends the wait for the deadline with the scope, however it is left.
template <class Socket>
struct Disarm {
  std::shared_ptr<Timed<Socket>> timed;
  explicit Disarm(std::shared_ptr<Timed<Socket>> t) : timed(std::move(t)) {}
  Disarm(const Disarm&) = delete;
  Disarm& operator=(const Disarm&) = delete;
  ~Disarm() { timed->timer.cancel(); }
};

tl::unexpected<Error> failed(const Endpoint& server, bool expired, const boost::system::error_code& error) {
  if (expired) return fail(Errc::timeout, "DNS server {} did not answer in time", to_text(server));
  return fail(Errc::unavailable, "DNS server {}: {}", to_text(server), error.message());
}

asio::awaitable<Result<Packet>> over_udp(Endpoint server, Packet query, std::chrono::milliseconds limit) {
  const auto timed = Timed<udp::socket>::start(co_await asio::this_coro::executor, limit);
  const Disarm disarm(timed);
  auto& socket = timed->socket;
  boost::system::error_code error;
  // Connected: the kernel drops what other hosts send, and a closed port is an error at once.
  socket.open(server.protocol(), error);
  if (!error) socket.connect(server, error);
  if (!error) co_await socket.async_send(asio::buffer(query), asio::redirect_error(asio::use_awaitable, error));
  Packet reply(max_message_bytes);
  while (!error && !timed->expired) {
    const std::size_t size =
        co_await socket.async_receive(asio::buffer(reply), asio::redirect_error(asio::use_awaitable, error));
    if (error || !answers(Bytes(reply).first(size), query)) continue;
    reply.resize(size);
    reply.shrink_to_fit();
    co_return reply;
  }
  co_return failed(server, timed->expired, error);
}

asio::awaitable<Result<Packet>> over_tcp(Endpoint server, Packet query, std::chrono::milliseconds limit) {
  const auto timed = Timed<tcp::socket>::start(co_await asio::this_coro::executor, limit);
  const Disarm disarm(timed);
  auto& socket = timed->socket;
  boost::system::error_code error;
  const tcp::endpoint target(server.address(), server.port());
  co_await socket.async_connect(target, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return failed(server, timed->expired, error);
  const std::array<std::uint8_t, 2> prefix{static_cast<std::uint8_t>(query.size() >> 8),
                                           static_cast<std::uint8_t>(query.size())};
  const std::array<asio::const_buffer, 2> both{asio::buffer(prefix), asio::buffer(query)};
  co_await asio::async_write(socket, both, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return failed(server, timed->expired, error);
  std::array<std::uint8_t, 2> length{};
  co_await asio::async_read(socket, asio::buffer(length), asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return failed(server, timed->expired, error);
  Packet reply(static_cast<std::size_t>(length[0]) << 8 | length[1]);
  co_await asio::async_read(socket, asio::buffer(reply), asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return failed(server, timed->expired, error);
  if (!answers(reply, query)) co_return fail(Errc::parse, "DNS server {} answered something else", to_text(server));
  co_return reply;
}

}  // namespace

std::string to_text(const Endpoint& endpoint) {
  const auto address = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", address, endpoint.port())
                                    : fmt::format("{}:{}", address, endpoint.port());
}

bool answers(Bytes reply, Bytes query) {
  if (reply.size() < header_bytes || query.size() < header_bytes) return false;
  if (reply[0] != query[0] || reply[1] != query[1] || (reply[2] & 0x80) == 0) return false;
  const auto end = question_end(query);
  if (!end) return false;
  // A server that could not read the question may leave it out.
  const bool no_question = reply[4] == 0 && reply[5] == 0;
  if (no_question) return (reply[3] & 0x0f) != 0;
  if (reply.size() < *end || reply[4] != 0 || reply[5] != 1) return false;
  const auto at = [](std::size_t offset) { return static_cast<std::ptrdiff_t>(offset); };
  const std::size_t name_end = *end - 4;  // type and class follow, which have no case
  return std::equal(query.begin() + at(name_end), query.begin() + at(*end), reply.begin() + at(name_end)) &&
         std::equal(query.begin() + header_bytes, query.begin() + at(name_end), reply.begin() + header_bytes,
                    [](std::uint8_t a, std::uint8_t b) {
                      return to_lower(static_cast<char>(a)) == to_lower(static_cast<char>(b));
                    });
}

asio::awaitable<Result<Packet>> exchange(Endpoint server, Packet query, net::Transport transport,
                                         std::chrono::milliseconds limit) {
  if (query.size() > max_message_bytes) co_return fail(Errc::too_large, "a DNS query over 64 KiB");
  if (transport == net::Transport::tcp) co_return co_await over_tcp(server, std::move(query), limit);
  co_return co_await over_udp(server, std::move(query), limit);
}

}  // namespace devstack::dns
