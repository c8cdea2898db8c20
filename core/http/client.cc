#include "core/http/client.h"

#include <boost/beast/http/error.hpp>
#include <memory>
#include <utility>

#include "core/base/ascii.h"
#include "core/http/connection.h"
#include "core/http/parser.h"
#include "core/http/read_buffer.h"

namespace devstack::http {
namespace {

using Time = Connection::Time;
using boost::system::error_code;
using ConnectionPtr = std::shared_ptr<Connection>;

/// Ends the connection however its coroutine ends, cancellation included.
struct EndAtExit {
  Connection& connection;
  ~EndAtExit() { connection.end(); }
};

std::string render(const Request& message, const Target& target) {
  std::string out = fmt::format("{} {} HTTP/1.1\r\n", message.method, message.target);
  if (!message.headers.get("Host")) {
    const bool v6 = target.host.find(':') != std::string::npos;
    auto host = fmt::format("{}{}{}", v6 ? "[" : "", target.host, v6 ? "]" : "");
    // The scheme's own port is not part of the name (RFC 9110 §4.2.3): some servers choose by the whole of it.
    if (target.port != (target.tls ? "443" : "80")) host.append(":").append(target.port);
    out.append("Host: ").append(target.unix_path.empty() ? host : "localhost").append("\r\n");
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

/// Reads until one final message is complete; 1xx answers before it are skipped. `idle` is set anew before each read.
asio::awaitable<Result<Response>> receive(ConnectionPtr connection, std::string peer, StreamHandlers handlers,
                                          bool head_method, std::size_t body_bytes, std::chrono::milliseconds idle) {
  constexpr std::size_t short_step = 8192, long_step = 65536;
  std::size_t step = short_step;
  ReadBuffer input;
  auto parser = std::make_unique<ResponseParser>(handlers.on_head, handlers.on_chunk);
  const auto prepare = [&]() {
    parser->skip(head_method);
    if (body_bytes > 0) parser->body_limit(body_bytes);
  };
  prepare();
  while (true) {
    while (!input.empty()) {
      const auto parsed = parser->feed(input);
      if (handlers.go_on && !handlers.go_on()) co_return std::move(parser->response);
      if (parsed == Parse::need_more) break;
      if (parsed == Parse::failed) {
        if (parser->error() == boost::beast::http::error::end_of_stream) co_return std::move(parser->response);
        if (parser->error() == boost::beast::http::error::body_limit) {
          co_return fail(Errc::too_large, "the answer of {} is larger than {} bytes", peer, body_bytes);
        }
        co_return fail(Errc::parse, "the answer of {} is not HTTP: {}", peer, parser->error().message());
      }
      if (!parser->informational()) co_return std::move(parser->response);
      parser = std::make_unique<ResponseParser>(handlers.on_head, handlers.on_chunk);
      prepare();
    }
    if (idle.count() > 0) connection->expires_at(Time::now() + idle);
    const auto room = input.prepare(step);
    const auto read = co_await connection->read_some(room);
    if (!read.error && !connection->overdue()) {
      input.commit(read.bytes);
      // A stream that drips, a container's log, keeps a small buffer.
      if (read.bytes == room.size() && parser->is_header_done()) step = long_step;
      continue;
    }
    // A body without a length ends with the connection.
    if (read.error == asio::error::eof && parser->is_header_done()) {
      error_code incomplete;
      parser->put_eof(incomplete);
      if (!incomplete) co_return std::move(parser->response);
    }
    co_return connection->broken(read.error);
  }
}

asio::awaitable<Result<void>> send(ConnectionPtr connection, Target target, Request message) {
  const auto head = render(message, target);
  std::vector<asio::const_buffer> parts{asio::buffer(head)};
  if (!message.body.empty()) parts.emplace_back(asio::buffer(message.body));
  const auto written = co_await connection->write(std::move(parts));
  // A server that refuses early closes while we still write; its answer, if there is one, says why.
  const bool refused = written.error == asio::error::broken_pipe || written.error == asio::error::connection_reset;
  if ((written.error && !refused) || connection->overdue()) co_return connection->broken(written.error);
  co_return Result<void>();
}

}  // namespace

asio::awaitable<Result<Response>> request(Target target, Request message, ClientLimits limits) {
  const auto connection = std::make_shared<Connection>(co_await asio::this_coro::executor, target);
  const EndAtExit guard{*connection};
  const auto begun = Time::now();
  const bool head_method = message.method == "HEAD";
  CO_CHECK(check(message));
  auto connected = co_await connection->connect(std::min(limits.connect_timeout, limits.timeout));
  CO_CHECK(std::move(connected));
  connection->expires_at(begun + limits.timeout);
  auto sent = co_await send(connection, target, std::move(message));
  CO_CHECK(std::move(sent));
  co_return co_await receive(connection, target.to_string(), StreamHandlers(), head_method, limits.body_bytes,
                             std::chrono::milliseconds(0));
}

asio::awaitable<Result<void>> stream(Target target, Request message, StreamHandlers handlers,
                                     std::chrono::milliseconds idle, std::chrono::milliseconds whole,
                                     std::chrono::milliseconds connecting) {
  const auto connection = std::make_shared<Connection>(co_await asio::this_coro::executor, target);
  const EndAtExit guard{*connection};
  const bool head_method = message.method == "HEAD";
  // Chunks nobody wants are dropped, not collected without bound.
  if (!handlers.on_chunk) handlers.on_chunk = [](std::string_view) {};
  CO_CHECK(check(message));
  if (whole.count() > 0) connection->never_after(Time::now() + whole);
  auto connected = co_await connection->connect(connecting.count() > 0 ? connecting
                                                : whole.count() > 0    ? whole
                                                                       : ClientLimits().connect_timeout);
  CO_CHECK(std::move(connected));
  connection->expires_at(idle.count() > 0 ? Time::now() + idle : Time::time_point::max());
  auto sent = co_await send(connection, target, std::move(message));
  CO_CHECK(std::move(sent));
  CO_TRY([[maybe_unused]] auto response,
         co_await receive(connection, target.to_string(), std::move(handlers), head_method, 0, idle));
  co_return Result<void>();
}

}  // namespace devstack::http
