#include "core/proxy/haproxy_runtime.h"

#include <array>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <memory>

namespace devstack::proxy::haproxy {
namespace {

using Socket = asio::local::stream_protocol::socket;

constexpr std::chrono::seconds limit{2};
constexpr std::size_t max_answer = 1U << 20U;

std::string full_name(const BackendChange& server) {
  return backend_name(server.service) + "/" + server_name(server.backend);
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

/// HAProxy answers a change with nothing when it went well.
Result<void> expect_silence(Result<std::string> answer) {
  if (!answer) return tl::unexpected(std::move(answer).error());
  const auto text = trimmed(std::move(*answer));
  if (!text.empty()) return fail(Errc::conflict, "haproxy: {}", text);
  return {};
}

}  // namespace

asio::awaitable<Result<std::string>> Runtime::command(std::string line) const {
  const auto executor = co_await asio::this_coro::executor;
  auto socket = std::make_shared<Socket>(executor);
  asio::steady_timer timer(executor, limit);
  auto expired = std::make_shared<bool>(false);
  timer.async_wait([socket, expired](boost::system::error_code cancelled) {
    if (cancelled) return;
    *expired = true;
    boost::system::error_code ignored;
    socket->close(ignored);
  });
  boost::system::error_code error;
  const asio::local::stream_protocol::endpoint where(socket_);
  co_await socket->async_connect(where, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return fail(Errc::unavailable, "haproxy's admin socket {}: {}", socket_, error.message());
  line += '\n';
  co_await asio::async_write(*socket, asio::buffer(line), asio::redirect_error(asio::use_awaitable, error));
  std::string answer;
  std::array<char, 4096> chunk{};
  while (!error && answer.size() < max_answer) {
    const auto count =
        co_await socket->async_read_some(asio::buffer(chunk), asio::redirect_error(asio::use_awaitable, error));
    answer.append(chunk.data(), count);
  }
  if (*expired) co_return fail(Errc::timeout, "haproxy's admin socket {} did not answer in time", socket_);
  if (error != asio::error::eof) co_return fail(Errc::io, "haproxy's admin socket {}: {}", socket_, error.message());
  co_return answer;
}

asio::awaitable<Result<int>> Runtime::pid() const {
  CO_TRY(const auto info, co_await command("show info"));
  constexpr std::string_view field = "\nPid: ";
  const auto at = info.find(field);
  int pid = 0;
  if (at != std::string::npos) std::from_chars(info.data() + at + field.size(), info.data() + info.size(), pid);
  if (pid <= 0) co_return fail(Errc::parse, "haproxy's admin socket {} does not tell its pid", socket_);
  co_return pid;
}

asio::awaitable<Result<void>> Runtime::add(BackendChange server) const {
  const auto name = full_name(server);
  CO_TRY(const auto answer, co_await command("add server " + name + " " + proxy::to_string(server.backend)));
  const bool added = answer.find("New server registered") != std::string::npos;
  const bool there = answer.find("Already exists") != std::string::npos;
  if (!added && !there) co_return fail(Errc::failed, "haproxy: {}", trimmed(answer));
  co_return expect_silence(co_await command("set server " + name + " state ready"));
}

asio::awaitable<Result<void>> Runtime::drain(BackendChange server) const {
  co_return expect_silence(co_await command("set server " + full_name(server) + " state drain"));
}

asio::awaitable<Result<void>> Runtime::remove(BackendChange server) const {
  const auto name = full_name(server);
  CO_TRY(const auto answer, co_await command("set server " + name + " state maint; del server " + name));
  if (answer.find("Server deleted") == std::string::npos)
    co_return fail(Errc::conflict, "haproxy: {}", trimmed(answer));
  co_return Result<void>();
}

}  // namespace devstack::proxy::haproxy
