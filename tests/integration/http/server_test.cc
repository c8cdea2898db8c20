#include "core/http/server.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/async/signal.h"
#include "tests/integration/http/raw_client.h"
#include "tests/support/run.h"

namespace devstack::http {
namespace {

using asio::ip::tcp;
using test::RawClient;

const tcp::endpoint kAnyPort(asio::ip::address_v4::loopback(), 0);

/// Answers with what it was asked: "METHOD TARGET BODY".
asio::awaitable<Response> echo(Request request) {
  co_return text(200, request.method + " " + request.target + " " + request.body);
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// A handler that waits for ever, as a blocking query does, and says how it ended.
struct LongPoll {
  explicit LongPoll(asio::any_io_executor executor) : never(std::move(executor)) {}
  Signal never;
  int begun = 0, ended = 0;

  static asio::awaitable<Response> wait(LongPoll& poll) {
    struct Leave {
      int& ended;
      ~Leave() { ++ended; }
    } leave{poll.ended};
    ++poll.begun;
    co_await poll.never.wait_past(poll.never.version(), std::chrono::steady_clock::time_point::max());
    co_return text(200, "woken");
  }
};

class ServerTest : public testing::Test {
 protected:
  void serve(Server::Handler handler, ServerLimits limits = {}) {
    server_ = std::make_unique<Server>(io_.get_executor(), "test", std::move(handler), limits);
    const auto bound = server_->listen(kAnyPort);
    ASSERT_TRUE(bound) << bound.error().message;
    where_ = *bound;
  }
  void TearDown() override {
    if (server_) test::run(io_, server_->stop(std::chrono::milliseconds(0)));
  }
  /// Sends `bytes`, returns all that comes until the server closes.
  std::string exchange(std::string bytes) {
    return test::run(io_, exchange_on(io_.get_executor(), where_, std::move(bytes)));
  }
  static asio::awaitable<std::string> exchange_on(asio::any_io_executor executor, tcp::endpoint where,
                                                  std::string bytes) {
    RawClient client(executor);
    co_await client.connect(where);
    co_await client.send(std::move(bytes));
    co_return co_await client.read_all();
  }

  asio::io_context io_;
  LongPoll poll_{io_.get_executor()};  // outlives the server, whose handlers use it
  std::unique_ptr<Server> server_;
  tcp::endpoint where_;
};

TEST_F(ServerTest, KeepsTheConnectionForTheNextRequest) {
  serve(echo);
  test::run(io_, [](asio::any_io_executor executor, tcp::endpoint where) -> asio::awaitable<void> {
    RawClient client(executor);
    co_await client.connect(where);
    for (int i = 0; i < 3; ++i) {
      client.seen.clear();
      co_await client.send("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n");
      co_await client.expect("GET /" + std::to_string(i) + " ");
      EXPECT_EQ(client.seen.find("Connection:"), std::string::npos);
    }
  }(io_.get_executor(), where_));
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  serve(echo);
  const auto seen = exchange(
      "POST /1 HTTP/1.1\r\nContent-Length: 3\r\n\r\none\r\nGET /2 HTTP/1.1\r\n\r\n"
      "GET /3 HTTP/1.1\r\nConnection: close\r\n\r\n");
  const auto first = seen.find("POST /1 one"), second = seen.find("GET /2 "), third = seen.find("GET /3 ");
  EXPECT_TRUE(first < second && second < third && third != std::string::npos) << seen;
  EXPECT_EQ(count_of(seen, "HTTP/1.1 200 OK"), 3U);
}

TEST_F(ServerTest, KeepsTheTargetAsOnTheWire) {
  serve(echo);
  EXPECT_NE(exchange("GET /v1/kv/a%2fb%20?x=%41&+ HTTP/1.1\r\nConnection: close\r\n\r\n")
                .find("GET /v1/kv/a%2fb%20?x=%41&+ "),
            std::string::npos);
}

TEST_F(ServerTest, ReadsChunkedUploads) {
  serve(echo);
  const auto seen = exchange(
      "PUT /up HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
  EXPECT_NE(seen.find("PUT /up abcdef"), std::string::npos) << seen;
}

TEST_F(ServerTest, TellsAWaitingClientToContinue) {
  serve(echo);
  test::run(io_, [](asio::any_io_executor executor, tcp::endpoint where) -> asio::awaitable<void> {
    RawClient client(executor);
    co_await client.connect(where);
    co_await client.send("PUT /x HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    co_await client.expect("HTTP/1.1 100 Continue\r\n\r\n");
    co_await client.send("body");
    co_await client.expect("PUT /x body");
    EXPECT_EQ(count_of(client.seen, "100 Continue"), 1U);
  }(io_.get_executor(), where_));
}

TEST_F(ServerTest, RefusesABodyOverTheLimitBeforeItComes) {
  ServerLimits limits;
  limits.body_bytes = 1000;
  serve(echo, limits);
  const auto seen = exchange("PUT /x HTTP/1.1\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_TRUE(seen.starts_with("HTTP/1.1 413 ")) << seen;
  EXPECT_EQ(seen.find("100 Continue"), std::string::npos);
}

TEST_F(ServerTest, A413ReachesAClientThatIsStillSending) {
  ServerLimits limits;
  limits.body_bytes = 1000;
  serve(echo, limits);
  const auto seen = exchange("PUT /x HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n" + std::string(3000000, 'x'));
  EXPECT_TRUE(seen.starts_with("HTTP/1.1 413 ")) << seen.substr(0, 100);
}

TEST_F(ServerTest, AcceptsABodyOfExactlyTheLimit) {
  ServerLimits limits;
  limits.body_bytes = 1000;
  serve(echo, limits);
  const auto seen =
      exchange("PUT /x HTTP/1.1\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x'));
  EXPECT_TRUE(seen.starts_with("HTTP/1.1 200 ")) << seen.substr(0, 100);
}

TEST_F(ServerTest, RefusesWhatIsNoRequest) {
  serve(echo);
  const std::pair<std::string, std::string> cases[] = {
      {"nonsense\r\n\r\n", "400"},
      {"GET / HTTP/2.0\r\n\r\n", "505"},
      {"GET / HTTP/1.1\r\nX: " + std::string(70000, 'x') + "\r\n\r\n", "431"},
      {"GET /" + std::string(70000, 'x') + " HTTP/1.1\r\n\r\n", "431"},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", "501"},
      {"POST / HTTP/1.1\r\nContent-Length: two\r\n\r\n", "400"},
  };
  for (const auto& [bytes, status] : cases) {
    const auto seen = exchange(bytes);
    EXPECT_TRUE(seen.starts_with("HTTP/1.1 " + status + " ")) << bytes.substr(0, 40) << " -> " << seen.substr(0, 60);
    EXPECT_NE(seen.find("Connection: close\r\n"), std::string::npos);
  }
}

TEST_F(ServerTest, HeadReachesTheHandlerAndGetsNoBody) {
  serve(echo);
  const auto seen = exchange("HEAD /x HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_NE(seen.find("Content-Length: 8\r\n"), std::string::npos) << seen;  // "HEAD /x "
  EXPECT_TRUE(seen.ends_with("\r\n\r\n")) << seen;
}

TEST_F(ServerTest, OldClientsAreSpokenToInTheirVersion) {
  serve(echo);
  EXPECT_NE(exchange("GET /x HTTP/1.0\r\n\r\n").find("GET /x "), std::string::npos);
}

TEST_F(ServerTest, HandlerMayCloseTheConnection) {
  serve([](Request) -> asio::awaitable<Response> {
    auto response = text(200, "bye");
    response.headers.set("Connection", "close");
    co_return response;
  });
  const auto seen = exchange("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(count_of(seen, "Connection: close\r\n"), 1U) << seen;
}

TEST_F(ServerTest, LargeAnswersArriveWhole) {
  const std::string large(5'000'000, 'z');
  serve([&large](Request) -> asio::awaitable<Response> {
    return [](std::string body) -> asio::awaitable<Response> { co_return text(200, std::move(body)); }(large);
  });
  const auto seen = exchange("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(seen.substr(seen.find("\r\n\r\n") + 4), large);
}

TEST_F(ServerTest, StreamsChunksAndTheirEnd) {
  serve([](Request) -> asio::awaitable<Response> {
    Response response;
    response.headers.set("Content-Type", "text/event-stream");
    response.stream = [](BodyWriter& writer) -> asio::awaitable<void> {
      for (int i = 0; i < 2; ++i) {
        std::string event = sse_event("n", std::to_string(i));
        const bool written = co_await writer.write(std::move(event));
        EXPECT_TRUE(written);
        const bool skipped = co_await writer.write(std::string());
        EXPECT_TRUE(skipped);
      }
    };
    co_return response;
  });
  const auto seen = exchange("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(count_of(seen, "Transfer-Encoding: chunked\r\n"), 2U);
  EXPECT_EQ(count_of(seen, "\r\n\r\n12\r\nevent: n\ndata: 0\n\n\r\n12\r\nevent: n\ndata: 1\n\n\r\n0\r\n\r\n"), 2U)
      << seen;
}

TEST_F(ServerTest, AHandlerIsCancelledWhenItsClientHangsUp) {
  serve([this](Request) { return LongPoll::wait(poll_); });
  test::run(
      io_,
      [](asio::any_io_executor executor, tcp::endpoint where, LongPoll& p, Server& server) -> asio::awaitable<void> {
        RawClient client(executor);
        co_await client.connect(where);
        co_await client.send("GET / HTTP/1.1\r\n\r\n");
        co_await test::until([&] { return p.begun == 1; });
        EXPECT_EQ(p.ended, 0);
        client.close();
        co_await test::until([&] { return p.ended == 1 && server.connections() == 0; });
      }(io_.get_executor(), where_, poll_, *server_));
}

TEST_F(ServerTest, APipelinedRequestDoesNotHideThatTheClientHungUp) {
  serve([this](Request) { return LongPoll::wait(poll_); });
  test::run(io_, [](asio::any_io_executor executor, tcp::endpoint where, LongPoll& p) -> asio::awaitable<void> {
    RawClient client(executor);
    co_await client.connect(where);
    co_await client.send("GET /1 HTTP/1.1\r\n\r\n");
    co_await test::until([&] { return p.begun == 1; });
    co_await client.send("GET /2 HTTP/1.1\r\n\r\n");
    client.close();
    co_await test::until([&] { return p.ended == 1; });
    EXPECT_EQ(p.begun, 1);
  }(io_.get_executor(), where_, poll_));
}

TEST_F(ServerTest, ARequestSentWhileTheHandlerWaitsIsAnsweredNext) {
  serve(
      [this](Request request) { return request.target == "/wait" ? LongPoll::wait(poll_) : echo(std::move(request)); });
  test::run(io_, [](asio::any_io_executor executor, tcp::endpoint where, LongPoll& p) -> asio::awaitable<void> {
    RawClient client(executor);
    co_await client.connect(where);
    for (int round = 1; round <= 3; ++round) {  // the watch on the socket is armed anew each time
      client.seen.clear();
      co_await client.send("GET /wait HTTP/1.1\r\n\r\n");
      co_await test::until([&] { return p.begun == round; });
      co_await client.send("PUT /next HTTP/1.1\r\nContent-Length: 20000\r\n\r\n" + std::string(20000, 'n'));
      p.never.bump();
      co_await client.expect("PUT /next " + std::string(20000, 'n'));
      EXPECT_TRUE(client.seen.find("woken") < client.seen.find("PUT /next"));
    }
  }(io_.get_executor(), where_, poll_));
}

TEST_F(ServerTest, AStreamIsCancelledWhenItsClientHangsUp) {
  serve([this](Request) -> asio::awaitable<Response> {
    return [](LongPoll& p) -> asio::awaitable<Response> {
      Response response;
      response.stream = [&p](BodyWriter& writer) -> asio::awaitable<void> {
        return [](LongPoll& q, BodyWriter& out) -> asio::awaitable<void> {
          const bool written = co_await out.write("first");
          EXPECT_TRUE(written);
          co_await LongPoll::wait(q);
        }(p, writer);
      };
      co_return response;
    }(poll_);
  });
  test::run(io_, [](asio::any_io_executor executor, tcp::endpoint where, LongPoll& p) -> asio::awaitable<void> {
    RawClient client(executor);
    co_await client.connect(where);
    co_await client.send("GET / HTTP/1.1\r\n\r\n");
    co_await client.expect("first");
    client.close();
    co_await test::until([&] { return p.ended == 1; });
  }(io_.get_executor(), where_, poll_));
}

TEST_F(ServerTest, StopCutsWhatDoesNotEndWithinTheGrace) {
  serve([this](Request) { return LongPoll::wait(poll_); });
  test::run(
      io_,
      [](asio::any_io_executor executor, tcp::endpoint where, LongPoll& p, Server& server) -> asio::awaitable<void> {
        RawClient waiting(executor), idle(executor);
        co_await waiting.connect(where);
        co_await idle.connect(where);
        co_await waiting.send("GET / HTTP/1.1\r\n\r\n");
        co_await test::until([&] { return p.begun == 1 && server.connections() == 2; });
        co_await server.stop(std::chrono::milliseconds(20));
        EXPECT_EQ(p.ended, 1);
        EXPECT_EQ(server.connections(), 0U);
        const auto rest = co_await idle.read_all();
        EXPECT_EQ(rest, "");
      }(io_.get_executor(), where_, poll_, *server_));
}

TEST_F(ServerTest, StopLetsARequestInFlightFinish) {
  serve([this](Request) { return LongPoll::wait(poll_); });
  test::run(
      io_,
      [](asio::any_io_executor executor, tcp::endpoint where, LongPoll& p, Server& server) -> asio::awaitable<void> {
        RawClient client(executor);
        co_await client.connect(where);
        co_await client.send("GET / HTTP/1.1\r\n\r\n");
        co_await test::until([&] { return p.begun == 1; });
        asio::post(executor, [&p] { p.never.bump(); });
        co_await server.stop(std::chrono::seconds(10));
        const auto seen = co_await client.read_all();
        EXPECT_NE(seen.find("woken"), std::string::npos);
        EXPECT_NE(seen.find("Connection: close"), std::string::npos);
      }(io_.get_executor(), where_, poll_, *server_));
}

TEST_F(ServerTest, ARequestThatDoesNotArriveInTimeIsCut) {
  ServerLimits limits;
  limits.read_timeout = std::chrono::seconds(1);
  serve(echo, limits);
  EXPECT_EQ(exchange("GET / HTTP/1.1\r\nHos"), "");
}

TEST_F(ServerTest, ServesManyConnectionsAtOnce) {
  serve(echo);
  test::run(io_, [](asio::any_io_executor executor, tcp::endpoint where, Server& server) -> asio::awaitable<void> {
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 400; ++i) {
      clients.push_back(std::make_unique<RawClient>(executor));
      co_await clients.back()->connect(where);
    }
    for (auto& client : clients) co_await client->send("GET /many HTTP/1.1\r\n\r\n");
    for (auto& client : clients) co_await client->expect("GET /many ");
    EXPECT_EQ(server.connections(), 400U);
    clients.clear();
    co_await test::until([&] { return server.connections() == 0; });
  }(io_.get_executor(), where_, *server_));
}

TEST_F(ServerTest, TurnsAwayConnectionsOverTheLimit) {
  ServerLimits limits;
  limits.connections = 1;
  serve(echo, limits);
  test::run(io_, [](asio::any_io_executor executor, tcp::endpoint where, Server& server) -> asio::awaitable<void> {
    RawClient first(executor), second(executor);
    co_await first.connect(where);
    co_await test::until([&] { return server.connections() == 1; });
    co_await second.connect(where);
    const auto refusal = co_await second.read_all();
    EXPECT_TRUE(refusal.starts_with("HTTP/1.1 503 "));
    co_await first.send("GET /ok HTTP/1.1\r\n\r\n");
    co_await first.expect("GET /ok ");
  }(io_.get_executor(), where_, *server_));
}

TEST_F(ServerTest, SaysThatThePortIsTaken) {
  serve(echo);
  Server second(io_.get_executor(), "second", echo);
  const auto bound = second.listen(where_);
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().code, Errc::port_taken);
  server_->close(where_);
  EXPECT_TRUE(server_->endpoints().empty());
  EXPECT_TRUE(second.listen(where_));
  test::run(io_, second.stop(std::chrono::milliseconds(0)));
}

TEST_F(ServerTest, TellsThePeer) {
  serve([](Request request) -> asio::awaitable<Response> { co_return text(200, "peer=" + request.peer); });
  EXPECT_NE(exchange("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").find("peer=127.0.0.1:"), std::string::npos);
}

}  // namespace
}  // namespace devstack::http
