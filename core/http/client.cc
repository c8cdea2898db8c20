#include "core/http/client.h"

#include <fcntl.h>
#include <sys/un.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>

#include "core/http/parser.h"
#include "core/http/read_buffer.h"

namespace devstack::http {
namespace {

using Time = std::chrono::steady_clock;
using Stream = asio::generic::stream_protocol;
using asio::ip::tcp;
using boost::system::error_code;

/// One connection and its deadline. When the deadline passes the socket is closed, whatever waits on it ends, and
/// `overdue` says so. Shared with the timer's handler, which may run after the exchange has ended.
struct Connection : std::enable_shared_from_this<Connection> {
  explicit Connection(const asio::any_io_executor& executor) : socket(executor), resolver(executor), timer(executor) {}

  Stream::socket socket;
  tcp::resolver resolver;
  asio::steady_timer timer;
  Time::time_point deadline = Time::time_point::max();
  bool overdue = false;
  bool over = false;

  void expires_at(Time::time_point when) {
    const bool waiting = deadline != Time::time_point::max();
    const bool sooner = when < deadline;
    deadline = when;
    // Moving the deadline on is frequent (once a read) and free: the handler looks again when it fires.
    if (!waiting || sooner) arm();
  }
  void arm() {
    if (deadline == Time::time_point::max()) return;
    timer.expires_at(deadline);
    timer.async_wait([self = shared_from_this()](error_code error) {
      if (error || self->over) return;
      if (Time::now() < self->deadline) return self->arm();
      self->overdue = true;
      self->resolver.cancel();
      self->socket.close(error);
    });
  }
  void end() {
    over = true;
    error_code ignored;
    timer.cancel();
    socket.close(ignored);
  }
};

/// Ends the connection however its coroutine ends, cancellation included.
struct EndAtExit {
  Connection& connection;
  ~EndAtExit() { connection.end(); }
};

tl::unexpected<Error> broken(const Connection& connection, const Target& target, const error_code& error) {
  if (connection.overdue) return fail(Errc::timeout, "{} did not answer in time", target.to_string());
  if (error == asio::error::operation_aborted) return fail(Errc::cancelled, "cancelled");
  if (error == asio::error::eof || error == asio::error::connection_reset || error == asio::error::broken_pipe) {
    return fail(Errc::io, "{} closed the connection before its answer was complete", target.to_string());
  }
  return fail(Errc::io, "talking to {} failed: {}", target.to_string(), error.message());
}

tl::unexpected<Error> cannot_connect(const Connection& connection, const Target& target, const error_code& error) {
  if (connection.overdue) return fail(Errc::unavailable, "connecting to {} took too long", target.to_string());
  if (error == asio::error::operation_aborted) return fail(Errc::cancelled, "cancelled");
  const auto code = error == boost::system::errc::permission_denied ? Errc::permission : Errc::unavailable;
  return fail(code, "cannot connect to {}: {}", target.to_string(), error.message());
}

asio::awaitable<Result<std::vector<Stream::endpoint>>> resolve(std::shared_ptr<Connection> connection, Target target) {
  std::vector<Stream::endpoint> found;
  if (!target.unix_path.empty()) {
    if (target.unix_path.size() >= sizeof(sockaddr_un{}.sun_path)) {
      co_return fail(Errc::invalid_argument, "the socket path {} is too long", target.unix_path);
    }
    found.emplace_back(asio::local::stream_protocol::endpoint(target.unix_path));
    co_return found;
  }
  error_code error;
  const auto port = static_cast<std::uint16_t>(std::strtoul(target.port.c_str(), nullptr, 10));
  const auto literal = asio::ip::make_address(target.host, error);
  if (!error) {
    found.emplace_back(tcp::endpoint(literal, port));
    co_return found;
  }
  if (target.host == "localhost") {  // RFC 6761 §6.3: never asked of the network
    found.emplace_back(tcp::endpoint(asio::ip::address_v4::loopback(), port));
    found.emplace_back(tcp::endpoint(asio::ip::address_v6::loopback(), port));
    co_return found;
  }
  const auto results = co_await connection->resolver.async_resolve(
      target.host, target.port, tcp::resolver::numeric_service, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return cannot_connect(*connection, target, error);
  for (const auto& entry : results) found.emplace_back(entry.endpoint());
  co_return found;
}

asio::awaitable<error_code> connect_to(std::shared_ptr<Connection> connection, Stream::endpoint where) {
  error_code error;
  auto& socket = connection->socket;
  while (!connection->overdue) {
    socket.close(error);
    socket.open(where.protocol(), error);
    if (error) co_return error;
    ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
    co_await socket.async_connect(where, asio::redirect_error(asio::use_awaitable, error));
    // A unix socket whose queue is full refuses at once instead of waiting: try again until the deadline.
    if (error != asio::error::try_again && error != asio::error::would_block) break;
    asio::steady_timer pause(socket.get_executor(), std::chrono::milliseconds(5));
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
  }
  co_return error;
}

asio::awaitable<Result<void>> connect(std::shared_ptr<Connection> connection, Target target,
                                      std::chrono::milliseconds limit) {
  connection->expires_at(Time::now() + limit);
  CO_TRY(const auto candidates, co_await resolve(connection, target));
  error_code error = asio::error::host_not_found;
  for (const auto& where : candidates) {
    error = co_await connect_to(connection, where);
    if (!error || connection->overdue || error == asio::error::operation_aborted) break;
  }
  if (error || connection->overdue) co_return cannot_connect(*connection, target, error);
  if (target.unix_path.empty()) connection->socket.set_option(tcp::no_delay(true), error);
  co_return Result<void>();
}

std::string render(const Request& message, const Target& target) {
  std::string out = fmt::format("{} {} HTTP/1.1\r\n", message.method, message.target);
  if (!message.headers.get("Host")) {
    const bool v6 = target.host.find(':') != std::string::npos;
    const auto host = target.unix_path.empty()
                          ? fmt::format("{}{}{}:{}", v6 ? "[" : "", target.host, v6 ? "]" : "", target.port)
                          : std::string("localhost");
    out.append("Host: ").append(host).append("\r\n");
  }
  if (!message.headers.get("User-Agent")) out.append("User-Agent: devstack\r\n");
  for (const auto& [name, value] : message.headers) {
    if (equal_ignoring_case(name, "Content-Length") || equal_ignoring_case(name, "Connection")) continue;
    out.append(name).append(": ").append(value).append("\r\n");
  }
  const bool carries_body = message.method == "POST" || message.method == "PUT" || message.method == "PATCH";
  if (carries_body || !message.body.empty()) out.append(fmt::format("Content-Length: {}\r\n", message.body.size()));
  return out.append("Connection: close\r\n\r\n");
}

/// A line break in any of these would make two requests of one.
Result<void> check(const Request& message) {
  const auto bad = [](std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
  };
  bool wrong = message.method.empty() || message.target.empty() || bad(message.method) || bad(message.target) ||
               message.method.find(' ') != std::string::npos || message.target.find(' ') != std::string::npos;
  for (const auto& [name, value] : message.headers) wrong = wrong || bad(name) || bad(value);
  if (wrong) return fail(Errc::invalid_argument, "a method, target or header field of the request is malformed");
  return {};
}

/// Reads until one final message is complete; 1xx answers before it are skipped. `extend` runs before each read.
asio::awaitable<Result<Response>> receive(std::shared_ptr<Connection> connection, Target target,
                                          StreamHandlers handlers, bool head_method, std::size_t body_bytes,
                                          std::chrono::milliseconds idle) {
  ReadBuffer input;
  auto parser = std::make_unique<ResponseParser>(handlers.on_head, handlers.on_chunk);
  const auto prepare = [&]() {
    parser->skip(head_method);
    if (body_bytes > 0) parser->body_limit(body_bytes);
  };
  prepare();
  error_code error;
  while (true) {
    while (!input.empty()) {
      const auto parsed = parser->feed(input);
      if (handlers.go_on && !handlers.go_on()) co_return std::move(parser->response);
      if (parsed == Parse::need_more) break;
      if (parsed == Parse::failed) {
        if (parser->error() == boost::beast::http::error::end_of_stream) co_return std::move(parser->response);
        if (parser->error() == boost::beast::http::error::body_limit) {
          co_return fail(Errc::too_large, "the answer of {} is larger than {} bytes", target.to_string(), body_bytes);
        }
        co_return fail(Errc::parse, "the answer of {} is not HTTP: {}", target.to_string(), parser->error().message());
      }
      if (!parser->informational()) co_return std::move(parser->response);
      parser = std::make_unique<ResponseParser>(handlers.on_head, handlers.on_chunk);
      prepare();
    }
    if (idle.count() > 0) connection->expires_at(Time::now() + idle);
    const auto room = input.prepare(parser->is_header_done() ? 65536 : 8192);
    const auto count =
        co_await connection->socket.async_read_some(room, asio::redirect_error(asio::use_awaitable, error));
    if (!error && !connection->overdue) {
      input.commit(count);
      continue;
    }
    if (error == asio::error::eof && parser->is_header_done()) {  // a body without a length ends with the connection
      error_code incomplete;
      parser->put_eof(incomplete);
      if (!incomplete) co_return std::move(parser->response);
    }
    co_return broken(*connection, target, error);
  }
}

asio::awaitable<Result<void>> send(std::shared_ptr<Connection> connection, Target target, Request message) {
  const auto head = render(message, target);
  const std::array<asio::const_buffer, 2> parts{asio::buffer(head), asio::buffer(message.body)};
  error_code error;
  co_await asio::async_write(connection->socket, parts, asio::redirect_error(asio::use_awaitable, error));
  // A server that refuses early closes while we still write; its answer, if there is one, says why.
  const bool refused = error == asio::error::broken_pipe || error == asio::error::connection_reset;
  if ((error && !refused) || connection->overdue) co_return broken(*connection, target, error);
  co_return Result<void>();
}

}  // namespace

asio::awaitable<Result<Response>> request(Target target, Request message, ClientLimits limits) {
  const auto connection = std::make_shared<Connection>(co_await asio::this_coro::executor);
  const EndAtExit guard{*connection};
  const auto begun = Time::now();
  const bool head_method = message.method == "HEAD";
  CO_CHECK(check(message));
  auto connected = co_await connect(connection, target, std::min(limits.connect_timeout, limits.timeout));
  CO_CHECK(std::move(connected));
  connection->expires_at(begun + limits.timeout);
  auto sent = co_await send(connection, target, std::move(message));
  CO_CHECK(std::move(sent));
  co_return co_await receive(connection, target, StreamHandlers(), head_method, limits.body_bytes,
                             std::chrono::milliseconds(0));
}

asio::awaitable<Result<void>> stream(Target target, Request message, StreamHandlers handlers,
                                     std::chrono::milliseconds idle) {
  const auto connection = std::make_shared<Connection>(co_await asio::this_coro::executor);
  const EndAtExit guard{*connection};
  const bool head_method = message.method == "HEAD";
  // Chunks nobody wants are dropped, not collected without bound.
  if (!handlers.on_chunk) handlers.on_chunk = [](std::string_view) {};
  CO_CHECK(check(message));
  auto connected = co_await connect(connection, target, ClientLimits().connect_timeout);
  CO_CHECK(std::move(connected));
  connection->expires_at(idle.count() > 0 ? Time::now() + idle : Time::time_point::max());
  auto sent = co_await send(connection, target, std::move(message));
  CO_CHECK(std::move(sent));
  CO_TRY([[maybe_unused]] auto response,
         co_await receive(connection, target, std::move(handlers), head_method, 0, idle));
  co_return Result<void>();
}

}  // namespace devstack::http
