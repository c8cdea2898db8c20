#include <gtest/gtest.h>

#include "core/http/server.h"
#include "tests/integration/http/raw_client.h"
#include "tests/support/run.h"

/// What a client may not do to the server, by malice or by accident.
namespace devstack::http {
namespace {

using asio::ip::tcp;
using test::RawClient;

asio::awaitable<Response> echo(Request request) { co_return text(200, std::to_string(request.body.size())); }

class LimitsTest : public testing::Test {
 protected:
  void serve(ServerLimits limits, Server::Handler handler = echo) {
    server_ = std::make_unique<Server>(io_.get_executor(), "test", std::move(handler), std::move(limits));
    const auto bound = server_->listen({asio::ip::address_v4::loopback(), 0});
    ASSERT_TRUE(bound) << bound.error().message;
    where_ = *bound;
  }
  void TearDown() override { test::run(io_, server_->stop(std::chrono::milliseconds(0))); }
  static asio::awaitable<std::string> exchange_on(asio::any_io_executor executor, tcp::endpoint where,
                                                  std::string bytes) {
    RawClient client(executor);
    co_await client.connect(where);
    co_await client.send(std::move(bytes));
    co_return co_await client.read_all();
  }
  std::string exchange(std::string bytes) {
    return test::run(io_, exchange_on(io_.get_executor(), where_, std::move(bytes)));
  }

  asio::io_context io_;
  std::unique_ptr<Server> server_;
  tcp::endpoint where_;
};

TEST_F(LimitsTest, ABodyThatDoesNotArriveInTimeIsCut) {
  ServerLimits limits;
  limits.read_timeout = std::chrono::seconds(1);
  serve(limits);
  EXPECT_EQ(exchange("PUT / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf"), "");
  EXPECT_EQ(exchange("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"), "");
}

/// Sends a byte of a header at a time, well within any pause, until the server has had enough.
asio::awaitable<bool> drip(asio::any_io_executor executor, tcp::endpoint where) {
  tcp::socket socket(executor);
  co_await socket.async_connect(where, asio::use_awaitable);
  asio::steady_timer pause(executor);
  boost::system::error_code error;
  for (int i = 0; i < 200 && !error; ++i) {
    co_await asio::async_write(socket, asio::buffer("G", 1), asio::redirect_error(asio::use_awaitable, error));
    pause.expires_after(std::chrono::milliseconds(50));
    co_await pause.async_wait(asio::use_awaitable);
  }
  co_return static_cast<bool>(error);
}

TEST_F(LimitsTest, AHeaderThatDripsInIsCutAllTheSame) {
  ServerLimits limits;
  limits.read_timeout = std::chrono::seconds(1);
  serve(limits);
  EXPECT_TRUE(test::run(io_, drip(io_.get_executor(), where_)));
  EXPECT_EQ(server_->connections(), 0U);
}

asio::awaitable<void> never_read(asio::any_io_executor executor, tcp::endpoint where, Server& server) {
  RawClient client(executor);
  co_await client.connect(where);
  co_await client.send("GET / HTTP/1.1\r\n\r\n");
  co_await test::until([&] { return server.connections() == 1; });
  co_await test::until([&] { return server.connections() == 0; });
}

TEST_F(LimitsTest, AReaderThatNeverReadsALargeAnswerIsCut) {
  ServerLimits limits;
  limits.write_timeout = std::chrono::seconds(1);
  serve(limits, [](Request) -> asio::awaitable<Response> { co_return text(200, std::string(64U << 20U, 'x')); });
  test::run(io_, never_read(io_.get_executor(), where_, *server_));
}

TEST_F(LimitsTest, AChunkedBodyIsBoundedWhileItIsRead) {
  ServerLimits limits;
  limits.body_bytes = 1000;
  serve(limits);
  std::string bytes = "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 11; ++i) bytes += "64\r\n" + std::string(100, 'x') + "\r\n";
  EXPECT_TRUE(exchange(bytes).starts_with("HTTP/1.1 413 "));
}

TEST_F(LimitsTest, SomeRequestsMayHaveALargerBody) {
  ServerLimits limits;
  limits.body_bytes = 1000;
  limits.body_bytes_of = [](std::string_view method, std::string_view target) -> std::optional<std::size_t> {
    if (method == "PUT" && target == "/large") return 2000;
    return std::nullopt;
  };
  serve(limits);
  const auto put = [&](const std::string& target) {
    return exchange("PUT " + target + " HTTP/1.1\r\nConnection: close\r\nContent-Length: 2000\r\n\r\n" +
                    std::string(2000, 'x'));
  };
  EXPECT_TRUE(put("/large").ends_with("\r\n\r\n2000"));
  EXPECT_TRUE(put("/small").starts_with("HTTP/1.1 413 "));
}

asio::awaitable<void> idle_crowd(asio::any_io_executor executor, tcp::endpoint where, Server& server) {
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 200; ++i) {
    idle.push_back(std::make_unique<RawClient>(executor));
    co_await idle.back()->connect(where);
  }
  co_await test::until([&] { return server.connections() == 200; });
  for (int i = 0; i < 20; ++i) {
    RawClient extra(executor);
    co_await extra.connect(where);
    const auto refusal = co_await extra.read_all();
    EXPECT_TRUE(refusal.starts_with("HTTP/1.1 503 ")) << refusal;
  }
  idle.pop_back();
  co_await test::until([&] { return server.connections() == 199; });
  RawClient next(executor);
  co_await next.connect(where);
  co_await next.send("GET / HTTP/1.1\r\n\r\n");
  co_await next.expect("HTTP/1.1 200 ");
}

TEST_F(LimitsTest, IdleConnectionsOverTheCapAreTurnedAwayUntilOneGoes) {
  ServerLimits limits;
  limits.connections = 200;
  serve(limits);
  test::run(io_, idle_crowd(io_.get_executor(), where_, *server_));
}

}  // namespace
}  // namespace devstack::http
