#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fstream>

#include "core/base/async/task_group.h"
#include "core/control/client.h"
#include "core/control/server.h"
#include "core/logs/kept_log.h"
#include "core/registry/registry.h"
#include "tests/integration/control/scripted_stack.h"
#include "tests/support/run.h"
#include "tests/support/temp_dir.h"

namespace devstack::control {
namespace {

using namespace std::chrono_literals;
using supervisor::Status;
using supervisor::UnitState;
using supervisor::UnitType;
using testing::HasSubstr;

/// A control server on a socket of its own, and a client of it, on one loop.
class ControlSocket : public testing::Test {
 protected:
  void serve(ControlOptions options = {}) {
    stack.now.project = "demo";
    api = std::make_unique<ControlApi>(io.get_executor(), stack, std::move(options));
    server = std::make_unique<ControlServer>(io.get_executor(), *api, dir.path());
    api->start();
    const auto started = server->start();
    ASSERT_TRUE(started) << started.error().message;
  }
  void TearDown() override {
    if (!api) return;
    test::run(io, server->stop());
    test::run(io, api->stop());
  }
  template <class T>
  T run(asio::awaitable<T> work) {
    return test::run(io, std::move(work));
  }

  asio::io_context io;
  test::TempDir dir;
  test::ScriptedStack stack{io.get_executor()};
  std::unique_ptr<ControlApi> api;
  std::unique_ptr<ControlServer> server;
  ControlClient client{dir.path()};
};

TEST_F(ControlSocket, NobodyThereIsSaidWithWhatToDo) {
  EXPECT_FALSE(run(client.is_running()));
  const auto status = run(client.status());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::unavailable);
  EXPECT_EQ(status.error().message,
            "no devstack is running here (state directory " + dir.path() + "): start it with `devstack up`");
  LogRequest request;
  const auto logs = run(client.logs(request, [](std::string_view) {}));
  ASSERT_FALSE(logs);
  EXPECT_EQ(logs.error().code, Errc::unavailable);
}

TEST_F(ControlSocket, OnlyItsOwnerMayOpenIt) {
  serve();
  struct stat info {};
  ASSERT_EQ(::stat(socket_path(dir.path()).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  run(server->stop());
  EXPECT_NE(::stat(socket_path(dir.path()).c_str(), &info), 0) << "the socket stays behind";
}

TEST_F(ControlSocket, StatusCrosses) {
  serve();
  stack.add("hello", UnitType::container).restarts = 7;
  EXPECT_TRUE(run(client.is_running()));
  const auto status = run(client.status());
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(status->project, "demo");
  EXPECT_EQ(status->services.at(0).restarts, 7);
}

TEST_F(ControlSocket, WatchSeesEachChangeUntilItHasEnough) {
  serve();
  stack.add("hello", UnitType::container).state = UnitState::starting;
  std::vector<std::string> seen;
  std::function<bool(const Status&)> watcher = [&](const Status& status) {
    seen.emplace_back(to_string(status.services.at(0).state));
    if (seen.size() == 1) {
      asio::post(io, [&] {
        stack.now.services[0].state = UnitState::running;
        stack.changed().bump();
      });
    }
    return !settled(status.services.at(0).state);
  };
  const auto watched = run(client.watch(watcher));
  EXPECT_TRUE(watched) << watched.error().message;
  EXPECT_THAT(seen, testing::ElementsAre("starting", "running"));
}

TEST_F(ControlSocket, WatchEndsAtItsDeadline) {
  serve();
  std::function<bool(const Status&)> never = [](const Status&) { return true; };
  const auto watched = run(client.watch(never, steady_clock().now() + 150ms));
  ASSERT_FALSE(watched);
  EXPECT_EQ(watched.error().code, Errc::timeout);
}

TEST_F(ControlSocket, ManyChangesAreOneEvent) {
  serve();
  stack.add("hello", UnitType::container);
  int events = 0;
  std::function<bool(const Status&)> watcher = [&](const Status& status) {
    ++events;
    if (events == 1) {
      asio::post(io, [&] {
        for (int i = 1; i <= 500; ++i) {
          stack.now.services[0].restarts = i;
          stack.changed().bump();
        }
      });
    }
    return status.services.at(0).restarts != 500;
  };
  EXPECT_TRUE(run(client.watch(watcher)));
  EXPECT_EQ(events, 2);
}

TEST_F(ControlSocket, UnitActionsReachTheStack) {
  serve();
  EXPECT_TRUE(run(client.unit_action(UnitAction::stop, "hello")));
  EXPECT_TRUE(run(client.unit_action(UnitAction::start, "hello")));
  EXPECT_TRUE(run(client.unit_action(UnitAction::restart, "a/b c")));
  EXPECT_THAT(stack.done, testing::ElementsAre("stop hello", "start hello", "restart a/b c"));
  const auto failed = run(client.unit_action(UnitAction::stop, "ghost"));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::not_found);
  EXPECT_EQ(failed.error().message, "no service \"ghost\"");
}

TEST_F(ControlSocket, ActionEndsEvenWhenItsClientHangsUp) {
  using namespace asio::experimental::awaitable_operators;
  serve();
  stack.action_takes = 200ms;
  // The client goes after 50 ms.
  const auto impatient = [](const ControlClient& cli) -> asio::awaitable<void> {
    co_await (cli.unit_action(UnitAction::restart, "hello") || steady_clock().sleep_for(50ms));
  };
  run(impatient(client));
  EXPECT_TRUE(stack.done.empty());
  const auto deadline = steady_clock().now() + 10s;
  while (stack.done.empty() && steady_clock().now() < deadline) run(steady_clock().sleep_for(10ms));
  EXPECT_THAT(stack.done, testing::ElementsAre("restart hello"));
}

TEST_F(ControlSocket, HooksCarryDownApplyAndPlan) {
  ControlOptions options;
  std::optional<std::chrono::seconds> asked;
  options.down = [&](supervisor::DownOptions wanted, std::string) -> asio::awaitable<Result<void>> {
    const auto grace = wanted.grace;
    asked = grace;
    co_return Result<void>();
  };
  options.apply = [](std::string request) -> asio::awaitable<Result<std::string>> {
    if (request == "bad") co_return fail_at({"stack.yaml", 2, 1}, Errc::stack_file, "unknown key");
    co_return "{\"echo\":" + request + "}";
  };
  serve(std::move(options));
  EXPECT_TRUE(run(client.down({.grace = 7s, .volumes = false, .images = {}, .orphans = false})));
  EXPECT_EQ(asked, 7s);
  EXPECT_TRUE(run(client.down()));
  EXPECT_EQ(asked, std::nullopt);
  EXPECT_EQ(run(client.apply("[1]")).value(), "{\"echo\":[1]}");
  const auto bad = run(client.apply("bad"));
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Errc::stack_file);
  EXPECT_EQ(bad.error().message, "stack.yaml:2:1: unknown key");
  const auto plan = run(client.plan());
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().message, "plan is not available here");
}

TEST_F(ControlSocket, WrongRequestsAreAnsweredAsErrors) {
  serve();
  const auto answer = [&](std::string method, std::string target) {
    http::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    const auto response = run(http::request(http::Target::unix_socket(socket_path(dir.path())), request));
    EXPECT_TRUE(response);
    EXPECT_THAT(response->body, HasSubstr("{\"error\":{\"code\":"));
    return response->status;
  };
  EXPECT_EQ(answer("GET", "/v2/status"), 404);
  EXPECT_EQ(answer("POST", "/v1/status"), 405);
  EXPECT_EQ(answer("GET", "/v1/down"), 405);
  EXPECT_EQ(answer("GET", "/v1/units/a/stop"), 405);
  EXPECT_EQ(answer("POST", "/v1/units/a/explode"), 404);
  EXPECT_EQ(answer("POST", "/v1/units//stop"), 404);
  EXPECT_EQ(answer("POST", "/v1/down?timeout=soon"), 400);
  EXPECT_EQ(answer("GET", "/v1/logs?tail=-4"), 400);
  EXPECT_EQ(answer("GET", "/v1/logs?service=ghost"), 404);
  EXPECT_EQ(answer("GET", "/v1/logs?service=%zz"), 400);
}

// --- Logs ---

class ControlLogs : public ControlSocket {
 protected:
  /// The log text until it ends, or until it holds `enough` (then the client hangs up).
  std::string read_logs(LogRequest request, std::string enough = {}) {
    using namespace asio::experimental::awaitable_operators;
    std::string text;
    Signal full(io.get_executor());
    std::function<void(std::string_view)> on_text = [&](std::string_view bytes) {
      text += bytes;
      if (!enough.empty() && text.find(enough) != std::string::npos) full.bump();
      if (on_progress) on_progress(text);
    };
    const auto work = [](const ControlClient& cli, LogRequest asked, std::function<void(std::string_view)> take,
                         Signal& end) -> asio::awaitable<void> {
      const auto limit = steady_clock().now() + 15s;
      const auto first = co_await (cli.logs(std::move(asked), std::move(take)) || end.wait_past(0, limit));
      if (const auto* ended = std::get_if<0>(&first)) {
        EXPECT_TRUE(*ended) << ended->error().message;
      }
    };
    run(work(client, std::move(request), on_text, full));
    return text;
  }
  std::function<void(const std::string&)> on_progress;
};

/// A kept log as the keeper writes it: a line a second.
void keep(const std::string& dir, const std::string& unit, const std::vector<std::string>& lines) {
  logs::KeptLog log(dir, unit, {});
  std::int64_t second = 0;
  for (const auto& line : lines) {
    const auto at = ++second * 1'000'000'000;
    ASSERT_TRUE(log.append({{logs::Record{at, unit, logs::Stream::out, line}, logs::Origin{"file", at}}}));
  }
}

TEST_F(ControlLogs, KeptLinesAreTailedAndOrderedByTime) {
  ControlOptions options;
  options.logs.kept = dir.path();
  serve(std::move(options));
  stack.add("web", UnitType::container);
  stack.add("worker", UnitType::process);
  keep(dir.path(), "web", {"a", "b", "c"});
  keep(dir.path(), "worker", {"1", "2"});
  EXPECT_EQ(read_logs({}), "web | a\nworker | 1\nweb | b\nworker | 2\nweb | c\n");
  LogRequest last;
  last.services = {"worker", "web"};
  last.choice.tail = 1;
  EXPECT_EQ(read_logs(last), "worker | 2\nweb | c\n");
  LogRequest between;
  between.choice.since = 2'000'000'000;
  between.choice.until = 2'500'000'000;
  between.form = LogForm::json;
  EXPECT_EQ(read_logs(between),
            "{\"time\":\"1970-01-01T00:00:02.000000000Z\",\"unit\":\"web\",\"stream\":\"stdout\",\"text\":\"b\"}\n"
            "{\"time\":\"1970-01-01T00:00:02.000000000Z\",\"unit\":\"worker\",\"stream\":\"stdout\",\"text\":\"2\"}\n");
}

TEST_F(ControlLogs, FollowingGoesOnWithTheFileAndWithNewUnits) {
  ControlOptions options;
  options.logs.kept = dir.path();
  serve(std::move(options));
  stack.add("worker", UnitType::process);
  keep(dir.path(), "worker", {"old"});
  bool appended = false;
  on_progress = [&](const std::string& text) {
    if (appended || text.find("old") == std::string::npos) return;
    appended = true;
    stack.add("late", UnitType::process);
    keep(dir.path(), "late", {"here"});
    keep(dir.path(), "worker", {"new"});
  };
  LogRequest request;
  request.choice.tail = 1;
  request.follow = Follow::yes;
  const auto text = read_logs(request, "worker | new\n");
  EXPECT_THAT(text, HasSubstr("worker | old\n"));
  EXPECT_THAT(text, HasSubstr("worker | new\n"));
  EXPECT_THAT(text, HasSubstr("late | here\n"));
}

TEST_F(ControlLogs, ComponentsAreFoundInTheSupervisorsOwnLog) {
  ControlOptions options;
  options.logs.supervisor_log = dir.write("devstack.log",
                                          "2026-01-02T03:04:05.006+00:00 info  [dns] up\n"
                                          "2026-01-02T03:04:05.007+00:00 info  [ui] up\n"
                                          "2026-01-02T03:04:05.008+00:00 warn  [dns] asked\n");
  serve(std::move(options));
  stack.now.components.resize(1);
  stack.now.components[0].name = "dns";
  LogRequest request;
  request.services = {"dns"};
  EXPECT_EQ(read_logs(request), "dns | info  [dns] up\ndns | warn  [dns] asked\n");
  request.services = {"devstack"};
  request.choice.tail = 1;
  EXPECT_EQ(read_logs(request), "devstack | warn  [dns] asked\n");
}

TEST_F(ControlLogs, DnsQueriesComeThroughTheHookAndGoOn) {
  // The server asks until it has noticed that its client is gone, which may be after this function.
  const auto queries =
      std::make_shared<std::vector<std::string>>(std::vector<std::string>{"one\n", "two\n", "three\n"});
  ControlOptions options;
  options.dns_log = [queries](std::uint64_t& after, std::size_t most) {
    std::string out;
    const std::size_t from = queries->size() - std::min<std::size_t>(queries->size() - after, most);
    for (std::size_t i = from; i < queries->size(); ++i) out += (*queries)[i];
    after = queries->size();
    return out;
  };
  serve(std::move(options));
  std::string text;
  const auto take = [&](std::string_view bytes) { text += bytes; };
  EXPECT_TRUE(run(client.dns_log(-1, Follow::no, take)));
  EXPECT_EQ(text, "one\ntwo\nthree\n");
  text.clear();
  EXPECT_TRUE(run(client.dns_log(2, Follow::no, take)));
  EXPECT_EQ(text, "two\nthree\n");

  text.clear();
  Signal full(io.get_executor());
  const std::function<void(std::string_view)> watch = [&](std::string_view bytes) {
    text += bytes;
    if (queries->size() == 3) queries->emplace_back("four\n");
    if (text.find("four") != std::string::npos) full.bump();
  };
  const auto follow = [](const ControlClient& cli, std::function<void(std::string_view)> on_text,
                         Signal& end) -> asio::awaitable<bool> {
    using namespace asio::experimental::awaitable_operators;
    const auto limit = steady_clock().now() + 15s;
    const auto first = co_await (cli.dns_log(1, Follow::yes, std::move(on_text)) || end.wait_past(0, limit));
    co_return first.index() == 1 && std::get<1>(first);
  };
  EXPECT_TRUE(run(follow(client, watch, full)));
  EXPECT_EQ(text, "three\nfour\n");
}

TEST_F(ControlLogs, WithoutDnsThereIsNoLogOfIt) {
  serve();
  const auto ended = run(client.dns_log(-1, Follow::no, [](std::string_view) {}));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::unavailable);
  EXPECT_THAT(ended.error().message, HasSubstr("dns.enabled"));
}

TEST_F(ControlLogs, LargeLogArrivesWhole) {
  ControlOptions options;
  options.logs.kept = dir.path();
  serve(std::move(options));
  stack.add("worker", UnitType::process);
  std::vector<logs::KeptLog::Entry> lines;
  for (std::int64_t i = 1; i <= 50'000; ++i) {
    lines.push_back({logs::Record{i, "worker", logs::Stream::out, fmt::format("line {} and more to fill it", i)},
                     logs::Origin{"file", i}});
  }
  logs::KeptLog log(dir.path(), "worker", {});
  ASSERT_TRUE(log.append(lines));
  LogRequest request;
  request.services = {"worker"};
  const auto got = read_logs(request);
  EXPECT_EQ(std::count(got.begin(), got.end(), '\n'), 50'000);
  EXPECT_TRUE(got.ends_with("worker | line 50000 and more to fill it\n"));
}

TEST_F(ControlLogs, UnknownServiceNamesTheNearest) {
  serve();
  stack.add("worker", UnitType::process);
  LogRequest request;
  request.services = {"wroker"};
  const auto logs = run(client.logs(request, [](std::string_view) {}));
  ASSERT_FALSE(logs);
  EXPECT_EQ(logs.error().message, "no service \"wroker\": did you mean \"worker\"?");
}

// --- What the registry knows besides ---

TEST_F(ControlSocket, RegistrationByOthersShowsUpInTheEvents) {
  registry::RegistryOptions where;
  where.identity = {.node = "laptop", .node_id = "1f6e4c1a-0000-4000-8000-000000000001", .address = "127.0.0.1"};
  auto opened = run(registry::Registry::open(io.get_executor(), where));
  ASSERT_TRUE(opened) << opened.error().message;
  auto& reg = **opened;
  ControlOptions options;
  options.registry = &reg;
  options.links = [](std::string_view name) { return std::vector{fmt::format("http://{}.localhost/", name)}; };
  serve(std::move(options));
  stack.add("api", UnitType::container);

  const auto add = [&](std::string id, std::string name, std::string source) {
    registry::Service service;
    service.id = std::move(id);
    service.name = std::move(name);
    service.source = std::move(source);
    service.address = "172.17.0.9";
    service.port = 80;
    service.tags = {"adhoc"};
    return registry::register_service(reg, std::move(service));
  };
  ASSERT_TRUE(run(add("laptop:demo-api-1:80", "api", "registrator")));
  ASSERT_TRUE(run(add("worker", "worker", "supervisor/demo")));
  bool asked = false;
  std::function<bool(const Status&)> watcher = [&](const Status& status) {
    const auto later = [](asio::awaitable<Result<registry::CommandResult>> work) -> asio::awaitable<void> {
      EXPECT_TRUE(co_await std::move(work));
    };
    if (!asked) spawn(io.get_executor(), "test: register", later(add("laptop:web:80", "web", "registrator")));
    asked = true;
    return status.discovered.empty();
  };
  ASSERT_TRUE(run(client.watch(watcher, steady_clock().now() + 10s)));
  const auto found = api->status().discovered;
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "web");
  EXPECT_EQ(found[0].instances, 1);
  EXPECT_EQ(found[0].passing, 1);
  EXPECT_EQ(found[0].status, "passing");
  EXPECT_THAT(found[0].addresses, testing::ElementsAre("172.17.0.9:80"));
  EXPECT_THAT(found[0].links, testing::ElementsAre("http://web.localhost/"));
  run(server->stop());
  run(api->stop());
  run(reg.close());
}

}  // namespace
}  // namespace devstack::control
