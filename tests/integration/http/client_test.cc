#include "core/http/client.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "core/base/async/task_group.h"
#include "core/http/server.h"
#include "tests/integration/http/raw_client.h"
#include "tests/support/run.h"
#include "tests/support/temp_dir.h"

namespace devstack::http {
namespace {

using asio::ip::tcp;

asio::awaitable<Response> echo(Request request) {
  auto response =
      text(request.target == "/missing" ? 404 : 200, request.method + " " + request.target + " " + request.body);
  response.headers.set("X-Peer", request.peer);
  co_return response;
}

/// A server that says `answer` to the first who connects, and closes. It reads nothing: it stands for broken servers.
asio::awaitable<void> say_once(tcp::acceptor& acceptor, std::string answer) {
  auto socket = co_await acceptor.async_accept(asio::use_awaitable);
  char request[4096];
  co_await socket.async_read_some(asio::buffer(request), asio::use_awaitable);
  co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
}

/// Sends one chunk each time it is let go, until its client leaves.
struct Source {
  explicit Source(asio::any_io_executor executor) : go(std::move(executor)) {}
  Signal go;
  bool ended = false;
  static asio::awaitable<void> run(Source& source, BodyWriter& writer) {
    struct Leave {
      bool& ended;
      ~Leave() { ended = true; }
    } leave{source.ended};
    for (std::uint64_t i = 0;; ++i) {
      std::string chunk = "chunk " + std::to_string(i) + ";";
      const bool written = co_await writer.write(std::move(chunk));
      if (!written) co_return;
      if (!co_await source.go.wait_past(i, std::chrono::steady_clock::time_point::max())) co_return;
    }
  }
  static asio::awaitable<Response> answer(Source& source) {
    Response response;
    response.stream = [&source](BodyWriter& writer) { return run(source, writer); };
    co_return response;
  }
};

class ClientTest : public testing::Test {
 protected:
  void serve(Server::Handler handler) {
    server_ = std::make_unique<Server>(io_.get_executor(), "test", std::move(handler));
    const auto bound = server_->listen({asio::ip::address_v4::loopback(), 0});
    ASSERT_TRUE(bound);
    target_ = *Target::parse("http://127.0.0.1:" + std::to_string(bound->port()));
  }
  void TearDown() override {
    if (server_) test::run(io_, server_->stop(std::chrono::milliseconds(0)));
  }
  Result<Response> ask(Request message, ClientLimits limits = {}) {
    return test::run(io_, request(target_, std::move(message), limits));
  }
  /// What `request` makes of a server's raw bytes.
  Result<Response> ask_raw(std::string answer, ClientLimits limits = {}, std::string method = "GET") {
    tcp::acceptor acceptor(io_, {asio::ip::address_v4::loopback(), 0});
    target_ = *Target::parse("http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()));
    TaskGroup tasks(io_.get_executor());
    tasks.spawn("raw server", say_once(acceptor, std::move(answer)));
    Request message;
    message.method = std::move(method);
    auto result = ask(std::move(message), limits);
    test::run(io_, tasks.stop());
    return result;
  }

  asio::io_context io_;
  Source source_{io_.get_executor()};
  std::unique_ptr<Server> server_;
  Target target_;
};

TEST_F(ClientTest, GetsAndPuts) {
  serve(echo);
  Request put;
  put.method = "PUT";
  put.target = "/v1/kv/a?x=1";
  put.body = std::string(300000, 'b');
  const auto answer = ask(put);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "PUT /v1/kv/a?x=1 " + put.body);
  EXPECT_TRUE(answer->headers.get("x-peer")->starts_with("127.0.0.1:"));
}

TEST_F(ClientTest, AStatusIsAnAnswerAndHeadHasNoBody) {
  serve(echo);
  Request message;
  message.target = "/missing";
  EXPECT_EQ(ask(message)->status, 404);
  message.method = "HEAD";
  const auto head = ask(message);
  ASSERT_TRUE(head) << head.error().message;
  EXPECT_EQ(head->body, "");
}

TEST_F(ClientTest, SpeaksOverAUnixSocket) {
  const test::TempDir dir;
  const auto path = dir.file("s.sock");
  server_ = std::make_unique<Server>(io_.get_executor(), "test", echo);
  ASSERT_TRUE(server_->listen_unix(path, 0600));
  struct stat found {};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  target_ = *Target::parse("unix://" + path);
  const auto answer = ask({});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->headers.get("X-Peer"), "unix");
  test::run(io_, server_->stop());
  EXPECT_NE(::stat(path.c_str(), &found), 0) << "the socket file goes with the server";
}

TEST_F(ClientTest, AUnixServerReplacesAStaleFileButNotALiveOne) {
  const test::TempDir dir;
  const auto path = dir.file("s.sock");
  { asio::local::stream_protocol::acceptor abandoned(io_, asio::local::stream_protocol::endpoint(path)); }
  server_ = std::make_unique<Server>(io_.get_executor(), "test", echo);
  ASSERT_TRUE(server_->listen_unix(path, 0660));
  Server second(io_.get_executor(), "second", echo);
  const auto taken = second.listen_unix(path, 0660);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::port_taken);
  const auto plain = second.listen_unix(dir.write("file", "precious"), 0660);
  ASSERT_FALSE(plain);
  EXPECT_EQ(plain.error().code, Errc::io);
  EXPECT_EQ(test::read_file(dir.file("file")), "precious");
  EXPECT_EQ(second.listen_unix("/" + std::string(200, 'x'), 0660).error().code, Errc::invalid_argument);
}

TEST_F(ClientTest, ReadsEveryKindOfBody) {
  EXPECT_EQ(ask_raw("HTTP/1.1 200 OK\r\n\r\nuntil the end")->body, "until the end");
  EXPECT_EQ(ask_raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")->body,
            "abc");
  EXPECT_EQ(ask_raw("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")->status, 204);
  EXPECT_EQ(ask_raw("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", {}, "HEAD")->status, 200);
}

TEST_F(ClientTest, NamesWhatWentWrong) {
  ClientLimits small;
  small.body_bytes = 10;
  EXPECT_EQ(ask_raw("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", small).error().code, Errc::too_large);
  EXPECT_EQ(ask_raw("HTTP/1.1 200 OK\r\n\r\n01234567890", small).error().code, Errc::too_large);
  EXPECT_EQ(ask_raw("SSH-2.0-OpenSSH\r\n").error().code, Errc::parse);
  EXPECT_EQ(ask_raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab").error().code, Errc::io);
  EXPECT_EQ(ask_raw("").error().code, Errc::io);
  target_ = *Target::parse("http://127.0.0.1:" + std::to_string(test::free_port()));
  EXPECT_EQ(ask({}).error().code, Errc::unavailable);
  target_ = Target::unix_socket("/nonexistent/x.sock");
  EXPECT_EQ(ask({}).error().code, Errc::unavailable);
  Request split;
  split.target = "/a\r\nX: y";
  EXPECT_EQ(ask(split).error().code, Errc::invalid_argument);
}

TEST_F(ClientTest, GivesUpAtItsDeadline) {
  serve([](Request) -> asio::awaitable<Response> {
    asio::steady_timer never(co_await asio::this_coro::executor, std::chrono::hours(1));
    co_await never.async_wait(asio::use_awaitable);
    co_return Response();
  });
  ClientLimits limits;
  limits.timeout = std::chrono::milliseconds(50);
  EXPECT_EQ(ask({}, limits).error().code, Errc::timeout);
}

TEST_F(ClientTest, StreamsPieceByPieceUntilCancelled) {
  serve([this](Request) { return Source::answer(source_); });
  std::string seen;
  int status = 0;
  TaskGroup tasks(io_.get_executor());
  StreamHandlers handlers;
  handlers.on_head = [&](const Response& head) {
    status = head.status;
    return true;
  };
  handlers.on_chunk = [&](std::string_view bytes) { seen.append(bytes); };
  tasks.spawn("stream", [](Target target, StreamHandlers h) -> asio::awaitable<void> {
    const auto ended = co_await stream(target, Request(), std::move(h));
    EXPECT_EQ(ended.error().code, Errc::cancelled);
  }(target_, handlers));
  EXPECT_TRUE(test::run(io_, test::eventually([&] { return seen == "chunk 0;"; })));
  EXPECT_EQ(status, 200);
  source_.go.bump();
  EXPECT_TRUE(test::run(io_, test::eventually([&] { return seen == "chunk 0;chunk 1;"; })));
  test::run(io_, tasks.stop());
  EXPECT_TRUE(test::run(io_, test::eventually([&] { return source_.ended; })));
}

TEST_F(ClientTest, AStreamCanBeEndedByEitherCallback) {
  serve([this](Request) { return Source::answer(source_); });
  StreamHandlers at_head;
  at_head.on_head = [](const Response&) { return false; };
  at_head.on_chunk = [](std::string_view) { ADD_FAILURE() << "nothing is wanted after the head"; };
  EXPECT_TRUE(test::run(io_, stream(target_, Request(), at_head)));
  bool enough = false;
  StreamHandlers at_chunk;
  at_chunk.on_chunk = [&](std::string_view) { enough = true; };
  at_chunk.go_on = [&] { return !enough; };
  EXPECT_TRUE(test::run(io_, stream(target_, Request(), at_chunk)));
  EXPECT_TRUE(enough);
}

TEST_F(ClientTest, ASilentStreamEndsAfterItsIdleTime) {
  serve([this](Request) { return Source::answer(source_); });
  const auto ended = test::run(io_, stream(target_, Request(), StreamHandlers(), std::chrono::milliseconds(50)));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::timeout);
}

TEST_F(ClientTest, AStreamThatGoesOnEndsAfterItsWholeTime) {
  serve([](Request) -> asio::awaitable<Response> {
    Response response;
    response.stream = [](BodyWriter& writer) -> asio::awaitable<void> {
      asio::steady_timer pace(co_await asio::this_coro::executor);
      for (bool open = true; open;) {
        pace.expires_after(std::chrono::milliseconds(1));
        co_await pace.async_wait(asio::use_awaitable);
        open = co_await writer.write("more");
      }
    };
    co_return response;
  });
  const auto ended = test::run(
      io_, stream(target_, Request(), StreamHandlers(), std::chrono::seconds(10), std::chrono::milliseconds(200)));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::timeout);
}

}  // namespace
}  // namespace devstack::http
