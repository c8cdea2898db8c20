#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "core/http/client.h"
#include "core/ui/ui.h"
#include "tests/integration/control/scripted_stack.h"
#include "tests/support/run.h"

namespace devstack::ui {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// The status page over real loopback, of a scripted stack.
class Page : public testing::Test {
 protected:
  void SetUp() override {
    stack.now.project = "demo";
    stack.add("hello", supervisor::UnitType::container);
    api.start();
    UiOptions options;
    options.port = 0;
    ui = std::make_unique<Ui>(io.get_executor(), api, options);
    const auto started = test::run(io, ui->start());
    ASSERT_TRUE(started) << started.error().message;
    authority = ui->report().addresses.at(0);
  }
  void TearDown() override {
    test::run(io, ui->stop());
    test::run(io, api.stop());
  }

  http::Response ask(http::Request request) {
    if (!request.headers.get("Host")) request.headers.set("Host", authority);
    const auto target = http::Target::parse("http://" + authority).value();
    auto response = test::run(io, http::request(target, std::move(request)));
    EXPECT_TRUE(response) << response.error().message;
    return response.value_or(http::Response{});
  }
  http::Response get(std::string target) {
    http::Request request;
    request.target = std::move(target);
    return ask(std::move(request));
  }
  http::Response post(std::string target, http::Headers headers) {
    http::Request request;
    request.method = "POST";
    request.target = std::move(target);
    request.headers = std::move(headers);
    return ask(std::move(request));
  }
  std::string token() {
    const auto page = get("/").body;
    const std::string before = "name=\"devstack-token\" content=\"";
    const auto at = page.find(before);
    return at == std::string::npos ? "" : page.substr(at + before.size(), 32);
  }

  asio::io_context io;
  test::ScriptedStack stack{io.get_executor()};
  static control::ControlOptions with_queries() {
    control::ControlOptions options;
    options.dns_queries = [](std::uint64_t after) { return fmt::format("{{\"next\":{}}}", after + 1); };
    return options;
  }
  control::ControlApi api{io.get_executor(), stack, with_queries()};
  std::unique_ptr<Ui> ui;
  std::string authority;
};

TEST_F(Page, ShowsWhatDnsIsAsked) {
  const auto page = get("/queries");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.headers.get("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(page.body, HasSubstr("<h1>DNS queries</h1>"));
  EXPECT_EQ(get("/api/queries").body, R"({"next":1})");
  const auto later = get("/api/queries?after=41");
  EXPECT_EQ(later.body, R"({"next":42})");
  EXPECT_EQ(later.headers.get("Cache-Control"), "no-store");
  for (const char* wrong : {"-1", "x", "1x", "99999999999999999999"}) {
    EXPECT_EQ(get(fmt::format("/api/queries?after={}", wrong)).status, 400) << wrong;
  }
  http::Request stranger;
  stranger.target = "/api/queries";
  stranger.headers.set("Host", "evil.example");
  EXPECT_EQ(ask(std::move(stranger)).status, 403);
}

TEST_F(Page, IsFilledInAndGuarded) {
  const auto page = get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.headers.get("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(page.body, HasSubstr("<h1>demo</h1>"));
  EXPECT_THAT(page.body, HasSubstr("id=\"unit-hello\""));
  for (const char* target : {"/", "/style.css", "/api/status", "/nothing"}) {
    const auto answer = get(target);
    EXPECT_THAT(std::string(answer.headers.get("Content-Security-Policy").value_or("")),
                HasSubstr("default-src 'self'"))
        << target;
    EXPECT_THAT(std::string(answer.headers.get("Content-Security-Policy").value_or("")),
                HasSubstr("frame-ancestors 'none'"));
    EXPECT_EQ(answer.headers.get("X-Content-Type-Options"), "nosniff") << target;
    EXPECT_EQ(answer.headers.get("Referrer-Policy"), "no-referrer") << target;
  }
}

TEST_F(Page, EveryFileThatItNamesIsThere) {
  for (const char* name : {"/style.css", "/app.js", "/morph.js", "/elapsed.js", "/favicon.svg", "/favicon-bad.svg"}) {
    EXPECT_EQ(get(name).status, 200) << name;
  }
  EXPECT_EQ(get("/page.html").status, 404);
  EXPECT_EQ(get("/../page.html").status, 404);
  EXPECT_EQ(get("/nothing.js").status, 404);
}

TEST_F(Page, StatusIsTheControlDocument) {
  const auto answer = get("/api/status");
  EXPECT_EQ(answer.headers.get("Content-Type"), "application/json");
  EXPECT_THAT(answer.body, HasSubstr("\"project\":\"demo\""));
}

TEST_F(Page, ForeignHostIsRefusedInOneLine) {
  for (const char* target : {"/", "/api/status", "/api/events", "/style.css"}) {
    http::Request request;
    request.target = target;
    request.headers.set("Host", "rebound.example:7500");
    const auto answer = ask(request);
    EXPECT_EQ(answer.status, 403) << target;
    EXPECT_EQ(answer.body, "this page answers only as localhost, not as \"rebound.example:7500\"\n");
  }
}

TEST_F(Page, ChangesNeedTheTokenOfThisStart) {
  EXPECT_EQ(post("/api/units/hello/restart", {}).status, 403);
  EXPECT_EQ(post("/api/units/hello/restart", {{"X-Devstack-Token", std::string(32, '0')}}).status, 403);
  EXPECT_EQ(post("/api/units/hello/restart", {{"X-Devstack-Token", token()}, {"Origin", "http://evil.example"}}).status,
            403);
  EXPECT_TRUE(stack.done.empty());
  const auto allowed =
      post("/api/units/hello/restart", {{"X-Devstack-Token", token()}, {"Origin", "http://" + authority}});
  EXPECT_EQ(allowed.status, 200) << allowed.body;
  EXPECT_THAT(stack.done, testing::ElementsAre("restart hello"));
  EXPECT_EQ(post("/api/units/ghost/stop", {{"X-Devstack-Token", token()}}).status, 404);
  EXPECT_EQ(get("/api/units/hello/stop").status, 405);
  EXPECT_EQ(post("/", {{"X-Devstack-Token", token()}}).status, 405);
}

TEST_F(Page, EventsBringEachChange) {
  using namespace asio::experimental::awaitable_operators;
  for (const auto& [target, first, then] :
       {std::tuple{"/api/events", "event: status\ndata: {\"version\"", "\"restarts\":42"},
        std::tuple{"/api/events?view=page", "event: page\ndata: <div id=\"live\"", "<b>42</b>"}}) {
    stack.now.services[0].restarts = 0;
    stack.changed().bump();
    std::string text;
    Signal enough(io.get_executor());
    http::StreamHandlers handlers;
    handlers.on_head = [](const http::Response& head) {
      EXPECT_EQ(head.headers.get("Content-Type"), "text/event-stream");
      return head.status == 200;
    };
    handlers.on_chunk = [&, wanted = std::string(then)](std::string_view bytes) {
      if (text.empty()) {
        asio::post(io, [&] {
          stack.now.services[0].restarts = 42;
          stack.changed().bump();
        });
      }
      text += bytes;
      if (text.find(wanted) != std::string::npos) enough.bump();
    };
    http::Request request;
    request.target = target;
    request.headers.set("Host", authority);
    const auto work = [](http::Target where, http::Request asked, http::StreamHandlers how,
                         Signal& end) -> asio::awaitable<void> {
      const auto limit = steady_clock().now() + 10s;
      co_await (http::stream(std::move(where), std::move(asked), std::move(how)) || end.wait_past(0, limit));
    };
    test::run(io, work(http::Target::parse("http://" + authority).value(), request, handlers, enough));
    EXPECT_TRUE(text.starts_with(first)) << text.substr(0, 80);
    EXPECT_THAT(text, HasSubstr(then));
  }
}

TEST_F(Page, TakenPortIsAnErrorAndLeavesNothingBehind) {
  UiOptions options;
  options.port = static_cast<std::uint16_t>(std::stoi(authority.substr(authority.rfind(':') + 1)));
  options.port_taken = [](const std::string& address, std::uint16_t port) {
    return Error{Errc::port_taken, fmt::format("{}:{} is taken by a test", address, port)};
  };
  Ui second(io.get_executor(), api, options);
  const auto started = test::run(io, second.start());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message, authority + " is taken by a test");
  EXPECT_TRUE(second.report().addresses.empty());
}

TEST_F(Page, StartsAgainAfterStop) {
  test::run(io, ui->stop());
  EXPECT_TRUE(ui->report().links.empty());
  ASSERT_TRUE(test::run(io, ui->start()));
  authority = ui->report().addresses.at(0);
  EXPECT_EQ(ui->report().links.at(0), "http://" + authority + "/");
  EXPECT_EQ(get("/").status, 200);
}

}  // namespace
}  // namespace devstack::ui
