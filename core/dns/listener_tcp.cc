// The TCP side of a listener (RFC 7766): several queries a connection, one after another.
#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "core/dns/counted.h"
#include "core/dns/listener.h"

namespace devstack::dns {
namespace {

using asio::ip::tcp;

constexpr int queries_per_connection = 128;
constexpr auto idle_limit = std::chrono::seconds(8);
constexpr auto message_limit = std::chrono::seconds(2);
constexpr auto pause_after_accept_error = std::chrono::milliseconds(100);

}  // namespace

/// A connection that is closed when its peer keeps us waiting. Shared with the timer's handlers.
struct Listener::Session {
  explicit Session(tcp::socket s) : socket(std::move(s)), timer(socket.get_executor()) {}

  static void expect(const std::shared_ptr<Session>& self, std::chrono::steady_clock::duration limit) {
    self->timer.expires_after(limit);
    self->timer.async_wait([self](const boost::system::error_code& error) {
      // A handler that was queued when the deadline moved on must not close the connection.
      if (error || self->timer.expiry() > std::chrono::steady_clock::now()) return;
      boost::system::error_code ignored;
      self->socket.close(ignored);
    });
  }
  void end() {
    timer.cancel();
    boost::system::error_code ignored;
    socket.close(ignored);
  }

  tcp::socket socket;
  asio::steady_timer timer;
};

asio::awaitable<void> Listener::accept_tcp() {
  for (;;) {
    boost::system::error_code error;
    auto socket = co_await tcp_.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (!tcp_.is_open()) co_return;
    if (error) {  // out of descriptors, or the peer went: neither is a reason to stop
      asio::steady_timer pause(tcp_.get_executor(), pause_after_accept_error);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    if (responder_.connections >= Responder::max_connections) continue;
    tasks_.spawn("dns: connection", serve_session(std::move(socket)));
  }
}

asio::awaitable<void> Listener::serve_session(tcp::socket socket) {
  const Counted counted(responder_.connections);
  auto session = std::make_shared<Session>(std::move(socket));
  struct End {
    std::shared_ptr<Session> session;
    explicit End(std::shared_ptr<Session> s) : session(std::move(s)) {}
    End(const End&) = delete;
    End& operator=(const End&) = delete;
    ~End() { session->end(); }
  };
  const End end(session);
  co_await serve_messages(session);
}

asio::awaitable<void> Listener::serve_messages(std::shared_ptr<Session> session) {
  auto& socket = session->socket;
  boost::system::error_code error;
  std::array<std::uint8_t, 2> length{};
  std::vector<std::uint8_t> request;
  std::vector<std::uint8_t> reply;
  const auto peer = socket.remote_endpoint(error);
  if (error) co_return;
  const Responder::Client client{peer.address(), net::Transport::tcp};
  for (int count = 0; count < queries_per_connection; ++count) {
    Session::expect(session, count == 0 ? message_limit : idle_limit);
    co_await asio::async_read(socket, asio::buffer(length), asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    Session::expect(session, message_limit);
    request.resize(static_cast<std::size_t>(length[0]) << 8 | length[1]);
    co_await asio::async_read(socket, asio::buffer(request), asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;

    session->timer.cancel();
    responder_.refresh();
    reply.resize(max_message_bytes);
    auto step = responder_.begin(request, client, reply);
    if (step.outcome == Responder::Outcome::drop) co_return;
    reply.resize(step.size);
    if (step.outcome == Responder::Outcome::forward)
      reply = co_await responder_.finish(std::move(step.pending), request);

    Session::expect(session, message_limit);
    length = {static_cast<std::uint8_t>(reply.size() >> 8), static_cast<std::uint8_t>(reply.size())};
    const std::array<asio::const_buffer, 2> both{asio::buffer(length), asio::buffer(reply)};
    co_await asio::async_write(socket, both, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
  }
}

}  // namespace devstack::dns
