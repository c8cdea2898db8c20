#include "core/http/connection.h"

#include <fcntl.h>
#include <sys/un.h>

#include <algorithm>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <utility>

namespace devstack::http {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

}  // namespace

Connection::Connection(const asio::any_io_executor& executor, Target target)
    : target_(std::move(target)), socket_(executor), resolver_(executor), timer_(executor) {}

void Connection::expires_at(Time::time_point when) {
  when = std::min(when, latest_);
  const bool waiting = deadline_ != Time::time_point::max();
  const bool sooner = when < deadline_;
  deadline_ = when;
  // Moving the deadline on is frequent (once a read) and free: the handler looks again when it fires.
  if (!waiting || sooner) arm();
}

void Connection::arm() {
  if (deadline_ == Time::time_point::max()) return;
  timer_.expires_at(deadline_);
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (error || self->over_) return;
    if (Time::now() < self->deadline_) return self->arm();
    self->overdue_ = true;
    self->resolver_.cancel();
    self->socket_.close(error);
  });
}

void Connection::without_deadline() {
  latest_ = deadline_ = Time::time_point::max();
  timer_.cancel();
}

void Connection::end_write() {
  error_code ignored;
  if (!tls_) socket_.shutdown(Socket::shutdown_send, ignored);
}

void Connection::end() {
  over_ = true;
  error_code ignored;
  timer_.cancel();
  socket_.close(ignored);
}

tl::unexpected<Error> Connection::broken(const error_code& error) const {
  if (overdue_) return fail(Errc::timeout, "{} did not answer in time", target_.to_string());
  if (error == asio::error::operation_aborted) return fail(Errc::cancelled, "cancelled");
  if (error == asio::error::eof || error == asio::error::connection_reset || error == asio::error::broken_pipe ||
      is_truncation(error)) {
    return fail(Errc::io, "{} closed the connection before its answer was complete", target_.to_string());
  }
  return fail(Errc::io, "talking to {} failed: {}", target_.to_string(), tls_ ? tls_->why(error) : error.message());
}

tl::unexpected<Error> Connection::cannot_connect(const error_code& error) const {
  if (overdue_) return fail(Errc::unavailable, "connecting to {} took too long", target_.to_string());
  if (error == asio::error::operation_aborted) return fail(Errc::cancelled, "cancelled");
  const auto code = error == boost::system::errc::permission_denied ? Errc::permission : Errc::unavailable;
  return fail(code, "cannot connect to {}: {}", target_.to_string(), error.message());
}

asio::awaitable<Result<std::vector<Connection::Endpoint>>> Connection::resolve() {
  std::vector<Endpoint> found;
  if (!target_.unix_path.empty()) {
    if (target_.unix_path.size() >= sizeof(sockaddr_un{}.sun_path)) {
      co_return fail(Errc::invalid_argument, "the socket path {} is too long", target_.unix_path);
    }
    found.emplace_back(asio::local::stream_protocol::endpoint(target_.unix_path));
    co_return found;
  }
  error_code error;
  const auto port = static_cast<std::uint16_t>(std::strtoul(target_.port.c_str(), nullptr, 10));
  const auto literal = asio::ip::make_address(target_.host, error);
  if (!error) {
    found.emplace_back(tcp::endpoint(literal, port));
    co_return found;
  }
  if (target_.host == "localhost") {  // RFC 6761 §6.3: never asked of the network
    found.emplace_back(tcp::endpoint(asio::ip::address_v4::loopback(), port));
    found.emplace_back(tcp::endpoint(asio::ip::address_v6::loopback(), port));
    co_return found;
  }
  const auto results = co_await resolver_.async_resolve(target_.host, target_.port, tcp::resolver::numeric_service,
                                                        asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return cannot_connect(error);
  for (const auto& entry : results) found.emplace_back(entry.endpoint());
  co_return found;
}

asio::awaitable<error_code> Connection::connect_to(Endpoint where) {
  error_code error;
  while (!overdue_) {
    socket_.close(error);
    socket_.open(where.protocol(), error);
    if (error) co_return error;
    ::fcntl(socket_.native_handle(), F_SETFD, FD_CLOEXEC);
    co_await socket_.async_connect(where, asio::redirect_error(asio::use_awaitable, error));
    // A unix socket whose queue is full refuses at once instead of waiting: try again until the deadline.
    if (error != asio::error::try_again && error != asio::error::would_block) break;
    asio::steady_timer pause(socket_.get_executor(), std::chrono::milliseconds(5));
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
  }
  co_return error;
}

asio::awaitable<Result<void>> Connection::connect(std::chrono::milliseconds limit) {
  expires_at(Time::now() + limit);
  CO_TRY(const auto candidates, co_await resolve());
  error_code error = asio::error::host_not_found;
  for (const auto& where : candidates) {
    error = co_await connect_to(where);
    if (!error || overdue_ || error == asio::error::operation_aborted) break;
  }
  if (error || overdue_) co_return cannot_connect(error);
  if (target_.unix_path.empty()) socket_.set_option(tcp::no_delay(true), error);
  if (target_.tls) co_return co_await shake_hands();
  co_return Result<void>();
}

asio::awaitable<Result<void>> Connection::shake_hands() {
  const auto& name = target_.tls_server_name.empty() ? target_.host : target_.tls_server_name;
  CO_TRY(tls_, TlsStream::over(socket_, name, target_.tls_verify));
  const auto error = co_await tls_->handshake();
  if (!error && !overdue_) co_return Result<void>();
  if (overdue_) co_return fail(Errc::timeout, "the TLS handshake with {} took too long", target_.to_string());
  if (error == asio::error::operation_aborted) co_return fail(Errc::cancelled, "cancelled");
  co_return fail(Errc::failed, "TLS with {} failed: {}", target_.to_string(), tls_->why(error));
}

asio::awaitable<Transfer> Connection::read_some(asio::mutable_buffer room) {
  if (tls_) co_return co_await tls_->read_some(room);
  Transfer done;
  done.bytes = co_await socket_.async_read_some(room, asio::redirect_error(asio::use_awaitable, done.error));
  co_return done;
}

asio::awaitable<Transfer> Connection::write(std::vector<asio::const_buffer> parts) {
  if (tls_) co_return co_await tls_->write(std::move(parts));
  Transfer done;
  done.bytes = co_await asio::async_write(socket_, parts, asio::redirect_error(asio::use_awaitable, done.error));
  co_return done;
}

}  // namespace devstack::http
