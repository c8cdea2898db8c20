#include "core/http/upgrade.h"

#include <charconv>

#include "core/http/connection.h"

namespace devstack::http {
namespace {

constexpr std::size_t kHeadMost = 64U << 10U;
constexpr std::size_t kBodyMost = 64U << 10U;
constexpr std::string_view kBlankLine = "\r\n\r\n";

struct EndUnlessKept {
  Connection& connection;
  bool kept = false;
  ~EndUnlessKept() {
    if (!kept) connection.end();
  }
};

std::string render(const Request& message, const std::string& protocol) {
  std::string out =
      fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: devstack\r\n", message.method, message.target);
  for (const auto& [name, value] : message.headers) out.append(name).append(": ").append(value).append("\r\n");
  out.append(
      fmt::format("Connection: Upgrade\r\nUpgrade: {}\r\nContent-Length: {}\r\n\r\n", protocol, message.body.size()));
  return out.append(message.body);
}

Result<void> check(const Request& message) {
  const auto bad = [](std::string_view text) { return text.find_first_of(" \r\n") != std::string_view::npos; };
  if (bad(message.method) || bad(message.target)) {
    return fail(Errc::invalid_argument, "the method or target of the request is malformed");
  }
  return {};
}

/// "HTTP/1.1 101 Switching Protocols" and fields.
Result<Response> parse_head(std::string_view head, const std::string& peer) {
  Response response;
  const auto space = head.find(' ');
  if (!head.starts_with("HTTP/1.") || space == std::string_view::npos || head.size() < space + 4) {
    return fail(Errc::parse, "the answer of {} is not HTTP", peer);
  }
  const char* digits = head.data() + space + 1;
  const auto [end, error] = std::from_chars(digits, digits + 3, response.status);
  if (error != std::errc() || end != digits + 3) return fail(Errc::parse, "the answer of {} is not HTTP", peer);
  for (auto line = head.find("\r\n"); line != std::string_view::npos; line = head.find("\r\n", line + 2)) {
    const auto text = head.substr(line + 2, head.find("\r\n", line + 2) - line - 2);
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) continue;
    auto value = text.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    response.headers.add(text.substr(0, colon), std::string(value));
  }
  return response;
}

/// A refusal's body: to its length, else to the end of the connection; only for its words.
asio::awaitable<void> read_refusal(std::shared_ptr<Connection> connection, Response& response) {
  std::size_t length = kBodyMost;
  if (const auto given = response.headers.get("Content-Length")) {
    std::from_chars(given->data(), given->data() + given->size(), length);
    length = std::min(length, kBodyMost);
  }
  std::string room(4096, '\0');
  while (response.body.size() < length) {
    const auto read = co_await connection->read_some(asio::buffer(room));
    if (read.error) co_return;
    response.body.append(room, 0, read.bytes);
  }
}

}  // namespace

Duplex::Duplex(std::shared_ptr<Connection> connection, std::string first)
    : connection_(std::move(connection)), first_(std::move(first)) {}

Duplex::~Duplex() { connection_->end(); }

asio::awaitable<Result<std::string>> Duplex::read() {
  if (!first_.empty()) co_return std::exchange(first_, {});
  std::string room(32U << 10U, '\0');
  const auto connection = connection_;
  const auto read = co_await connection->read_some(asio::buffer(room));
  if (read.error == asio::error::eof || read.error == asio::error::connection_reset) co_return std::string();
  if (read.error) co_return connection->broken(read.error);
  room.resize(read.bytes);
  co_return room;
}

asio::awaitable<Result<void>> Duplex::write(std::string bytes) {
  const auto connection = connection_;
  std::vector<asio::const_buffer> parts{asio::buffer(bytes)};
  const auto written = co_await connection->write(std::move(parts));
  if (written.error) co_return connection->broken(written.error);
  co_return Result<void>();
}

void Duplex::end_write() { connection_->end_write(); }

asio::awaitable<Result<Upgraded>> upgrade(Target target, Request message, std::string protocol,
                                          std::chrono::milliseconds timeout) {
  const auto connection = std::make_shared<Connection>(co_await asio::this_coro::executor, target);
  EndUnlessKept guard{*connection};
  CO_CHECK(check(message));
  connection->never_after(Connection::Time::now() + timeout);
  auto connected = co_await connection->connect(timeout);
  CO_CHECK(std::move(connected));
  const auto text = render(message, protocol);
  std::vector<asio::const_buffer> parts{asio::buffer(text)};
  const auto written = co_await connection->write(std::move(parts));
  if (written.error) co_return connection->broken(written.error);
  std::string input;
  std::string room(8192, '\0');
  std::size_t end = std::string::npos;
  while (end == std::string::npos) {
    if (input.size() > kHeadMost) co_return fail(Errc::too_large, "the answer of {} has no end", target.to_string());
    const auto read = co_await connection->read_some(asio::buffer(room));
    if (read.error) co_return connection->broken(read.error);
    input.append(room, 0, read.bytes);
    end = input.find(kBlankLine);
  }
  Upgraded result;
  CO_TRY(result.head, parse_head(std::string_view(input).substr(0, end), target.to_string()));
  auto rest = input.substr(end + kBlankLine.size());
  if (result.head.status == 101 || (result.head.status == 200 && !result.head.headers.get("Content-Length"))) {
    connection->without_deadline();
    guard.kept = true;
    result.duplex = std::make_unique<Duplex>(connection, std::move(rest));
  } else {
    result.head.body = std::move(rest);
    co_await read_refusal(connection, result.head);
  }
  co_return result;
}

}  // namespace devstack::http
