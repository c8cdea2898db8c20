#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <vector>

#include "core/http/client.h"
#include "core/http/tls.h"

/// The client's end of one connection: TCP or a unix socket, TLS over it where the target says so. Private to the room.
namespace devstack::http {

/// One connection and its deadline. When the deadline passes the socket is closed, whatever waits on it ends, and
/// overdue() says so. Shared with the timer's handler, which may run after the exchange has ended. One executor.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Time = std::chrono::steady_clock;

  Connection(const asio::any_io_executor& executor, Target target);

  /// Resolves, connects and, for TLS, shakes hands; `limit` bounds all of it together.
  asio::awaitable<Result<void>> connect(std::chrono::milliseconds limit);
  asio::awaitable<Transfer> read_some(asio::mutable_buffer room);
  asio::awaitable<Transfer> write(std::vector<asio::const_buffer> parts);

  void expires_at(Time::time_point when);
  /// No later deadline than this from now on.
  void never_after(Time::time_point latest) { latest_ = latest; }
  /// What never_after() and expires_at() said counts no more.
  void without_deadline();
  /// The peer reads an end of file; we read on. Over TLS nothing happens.
  void end_write();
  void end();
  [[nodiscard]] bool overdue() const { return overdue_; }
  /// What a failed read or write means, in words.
  [[nodiscard]] tl::unexpected<Error> broken(const boost::system::error_code& error) const;

 private:
  using Socket = asio::generic::stream_protocol::socket;
  using Endpoint = asio::generic::stream_protocol::endpoint;

  asio::awaitable<Result<std::vector<Endpoint>>> resolve();
  asio::awaitable<boost::system::error_code> connect_to(Endpoint where);
  asio::awaitable<Result<void>> shake_hands();
  [[nodiscard]] tl::unexpected<Error> cannot_connect(const boost::system::error_code& error) const;
  void arm();

  Target target_;
  Socket socket_;
  asio::ip::tcp::resolver resolver_;
  asio::steady_timer timer_;
  std::unique_ptr<TlsStream> tls_;  ///< over socket_, once connected
  Time::time_point deadline_ = Time::time_point::max();
  Time::time_point latest_ = Time::time_point::max();
  bool overdue_ = false;
  bool over_ = false;
};

}  // namespace devstack::http
