#include "core/supervisor/unit.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"
#include "tests/support/run.h"

namespace devstack::supervisor {
namespace {

using namespace std::chrono_literals;
using State = UnitState;

/// What a test tells a unit's backend to do, and what it saw.
struct Script {
  std::vector<std::string> calls;
  std::optional<Error> launch_error;
  bool launch_hangs = false;
  std::string health;
  std::function<void(UnitEvent)> tell;
};

class ScriptedBackend final : public Backend {
 public:
  explicit ScriptedBackend(Script& script) : script_(script) {}
  asio::awaitable<Result<UnitEvent>> launch() override {
    script_.calls.emplace_back("launch");
    script_.tell = events;
    if (script_.launch_hangs) {
      asio::steady_timer never(co_await asio::this_coro::executor, Instant::max());
      boost::system::error_code ignored;
      co_await never.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      script_.calls.emplace_back("launch cancelled");
    }
    if (script_.launch_error) co_return tl::unexpected<Error>(*script_.launch_error);
    UnitEvent event;
    event.kind = UnitEvent::Kind::started;
    event.health = script_.health;
    co_return event;
  }
  asio::awaitable<Result<void>> halt(Grace) override {
    script_.calls.emplace_back("halt");
    co_return Result<void>();
  }
  void describe(UnitStatus&) const override {}

 private:
  Script& script_;
};

class UnitTest : public testing::Test {
 protected:
  ~UnitTest() override {
    for (auto& [name, unit] : units) test::run(io, unit->detach());
  }
  Unit& add(const std::string& name, stack::RestartPolicy restart = {}, const std::string& on = {},
            stack::DependencyCondition condition = stack::DependencyCondition::healthy) {
    Unit::Options options;
    options.executor = io.get_executor();
    options.clock = &clock;
    options.name = options.service = name;
    options.restart = restart;
    if (!on.empty()) {
      stack::Dependency dependency;
      dependency.service = on;
      dependency.condition = condition;
      options.depends_on.push_back(dependency);
    }
    options.gate = [this](const std::vector<stack::Dependency>& dependencies) {
      return gate(dependencies, [this](const std::string& service) {
        return std::vector<DependencyView>{units.at(service)->view()};
      });
    };
    options.changed = [this] {
      for (auto& [other, unit] : units) {
        if (unit->machine().work() == Work::await_dependencies) unit->wake();
      }
    };
    auto unit = std::make_shared<Unit>(std::move(options), std::make_unique<ScriptedBackend>(scripts[name]));
    units[name] = unit;
    unit->run();
    return *unit;
  }
  void settle() {
    io.restart();
    io.poll();
  }
  void tell(const std::string& name, UnitEvent::Kind kind, int code = 0) {
    UnitEvent event;
    event.kind = kind;
    event.code = code;
    scripts[name].tell(event);
    settle();
  }
  static State state(const Unit& unit) { return unit.machine().state(); }

  asio::io_context io;
  test::FakeClock clock;
  std::map<std::string, Script> scripts;
  std::map<std::string, std::shared_ptr<Unit>> units;
};

TEST_F(UnitTest, DependentStartsOnlyWhenItsDependencyIsHealthy) {
  scripts["db"].health = "starting";
  Unit& db = add("db");
  Unit& app = add("app", {}, "db");
  app.request_start();
  db.request_start();
  settle();
  EXPECT_EQ(state(app), State::waiting);
  EXPECT_EQ(app.status().detail, "for db to be healthy");
  EXPECT_TRUE(scripts["app"].calls.empty());
  tell("db", UnitEvent::Kind::health_passed);
  EXPECT_EQ(state(app), State::running);
}

TEST_F(UnitTest, DependentFailsWithItsDependency) {
  scripts["db"].launch_error = Error{Errc::not_found, "no such file"};
  Unit& db = add("db");
  Unit& app = add("app", {}, "db");
  app.request_start();
  db.request_start();
  settle();
  EXPECT_EQ(state(db), State::failed);
  EXPECT_EQ(db.status().detail, "no such file");
  EXPECT_EQ(state(app), State::failed);
  EXPECT_EQ(app.status().detail, "not started: db failed");
}

TEST_F(UnitTest, RestartWaitsForTheBackoffAndNotLonger) {
  stack::RestartPolicy always{stack::RestartPolicy::Kind::always};
  always.delay = 1s;
  Unit& app = add("app", always);
  app.request_start();
  settle();
  for (const auto pause : {1s, 2s, 4s}) {
    tell("app", UnitEvent::Kind::exited, 1);
    EXPECT_EQ(state(app), State::backoff);
    clock.advance(pause - 1ms);
    settle();
    EXPECT_EQ(state(app), State::backoff);
    clock.advance(1ms);
    settle();
    EXPECT_EQ(state(app), State::running);
  }
  EXPECT_EQ(app.status().restarts, 3);
}

TEST_F(UnitTest, AnUnreachableEngineIsTriedAgainWithGrowingPauses) {
  scripts["app"].launch_error = Error{Errc::docker_unreachable, "engine not reachable: no socket"};
  Unit& app = add("app");
  app.request_start();
  settle();
  EXPECT_EQ(state(app), State::backoff);
  EXPECT_EQ(app.status().detail, "engine not reachable: no socket");
  for (int second = 0; second < 60; ++second) {
    clock.advance(1s);
    settle();
  }
  EXPECT_EQ(scripts["app"].calls.size(), 6U) << "at 0, 1, 3, 7, 15 and 31 s";
  scripts["app"].launch_error.reset();
  app.request_start();
  settle();
  EXPECT_EQ(state(app), State::running) << "a start need not wait for the pause";
}

TEST_F(UnitTest, StopCancelsALaunchUnderWay) {
  scripts["app"].launch_hangs = true;
  Unit& app = add("app");
  app.request_start();
  settle();
  EXPECT_EQ(state(app), State::starting);
  app.request_stop(std::nullopt);
  settle();
  EXPECT_EQ(state(app), State::stopped);
  EXPECT_EQ(scripts["app"].calls, (std::vector<std::string>{"launch", "launch cancelled", "halt"}));
}

TEST_F(UnitTest, StartDuringAStopStartsAfterIt) {
  Unit& app = add("app");
  app.request_start();
  settle();
  app.request_stop(std::nullopt);
  app.request_start();
  settle();
  EXPECT_EQ(state(app), State::running);
  EXPECT_EQ(scripts["app"].calls, (std::vector<std::string>{"launch", "halt", "launch"}));
}

TEST_F(UnitTest, DetachLeavesALaunchUnderWayWithoutHalting) {
  scripts["app"].launch_hangs = true;
  Unit& app = add("app");
  app.request_start();
  settle();
  test::run(io, app.detach());
  EXPECT_EQ(scripts["app"].calls, (std::vector<std::string>{"launch", "launch cancelled"}));
}

}  // namespace
}  // namespace devstack::supervisor
