#pragma once

#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <string>
#include <string_view>

namespace devstack::test {

namespace asio = boost::asio;

/// A client that knows no HTTP: it sends and sees bytes.
class RawClient {
 public:
  explicit RawClient(asio::any_io_executor executor) : socket_(std::move(executor)) {}

  asio::awaitable<void> connect(asio::ip::tcp::endpoint where) {
    co_await socket_.async_connect(where, asio::use_awaitable);
  }
  asio::awaitable<void> send(std::string bytes) {
    co_await asio::async_write(socket_, asio::buffer(bytes), asio::use_awaitable);
  }
  /// Reads until `seen` holds `text`; a failure of the test when the server closes before.
  asio::awaitable<void> expect(std::string text) {
    bool open = true;
    while (open && seen.find(text) == std::string::npos) open = co_await read_some();
    if (!open) ADD_FAILURE() << "closed before \"" << text << "\" came: " << seen;
  }
  /// Everything until the server closes.
  asio::awaitable<std::string> read_all() {
    bool open = true;
    while (open) open = co_await read_some();
    co_return std::move(seen);
  }
  void close() { socket_.close(); }
  asio::ip::tcp::socket& socket() { return socket_; }

  std::string seen;

 private:
  asio::awaitable<bool> read_some() {
    char buffer[4096];
    boost::system::error_code error;
    const auto count =
        co_await socket_.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    seen.append(buffer, count);
    co_return !error;
  }
  asio::ip::tcp::socket socket_;
};

/// Waits for what another coroutine of the same loop brings about; false after ten seconds.
inline asio::awaitable<bool> eventually(std::function<bool()> holds) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (int i = 0; i < 2000 && !holds(); ++i) {
    timer.expires_after(std::chrono::milliseconds(5));
    co_await timer.async_wait(asio::use_awaitable);
  }
  co_return holds();
}

/// The same, a failure of the test when it does not come about.
inline asio::awaitable<void> until(std::function<bool()> holds) {
  const bool held = co_await eventually(std::move(holds));
  if (!held) ADD_FAILURE() << "waited in vain";
}

}  // namespace devstack::test
