#include "core/health/check_runner.h"

#include <gmock/gmock.h>

#include "core/base/async/signal.h"
#include "core/registry/expiry.h"
#include "tests/support/fake_clock.h"
#include "tests/support/run.h"

namespace devstack::health {
namespace {

using namespace std::chrono_literals;
using registry::Check;
using Kind = registry::CheckDefinition::Kind;

/// A registry in memory, a clock that is turned by hand, and probes that answer what the test says.
class CheckRunnerTest : public testing::Test {
 protected:
  CheckRunnerTest() : released_(io_.get_executor()) {
    registry::RegistryOptions options;
    options.identity.node = "n1";
    options.identity.address = "127.0.0.1";
    options.clock = &clock_;
    auto opened = test::run(io_, registry::Registry::open(io_.get_executor(), std::move(options)));
    if (!opened) throw std::runtime_error(opened.error().message);
    registry_ = std::move(*opened);
    make_runner();
  }
  ~CheckRunnerTest() override {
    stop_runner();
    test::run(io_, registry_->close());
  }
  void make_runner(bool scripts = true) {
    if (runner_) stop_runner();
    CheckRunnerOptions options;
    options.enable_scripts = scripts;
    options.probes_at_once = 3;
    options.chance = [] { return 0.5; };
    options.probe = [this](CheckPtr check) { return answer(this, std::move(check)); };
    runner_ = std::make_unique<CheckRunner>(io_.get_executor(), *registry_, *registry_, std::move(options), clock_);
    runner_->start();
    settle();
  }
  void stop_runner() { test::run(io_, runner_->stop()); }

  struct Count {
    int& of;
    explicit Count(int& counter) : of(counter) { ++of; }
    ~Count() { --of; }
  };
  static asio::awaitable<CheckResult> answer(CheckRunnerTest* test, CheckPtr check) {
    ++test->probed_[check->id];
    const Count count(test->running_);
    test->most_running_ = std::max(test->most_running_, test->running_);
    if (test->hold_) co_await test->released_.wait_past(test->released_.version(), Instant::max());
    co_return test->result_;
  }

  void apply(registry::Command command) {
    const auto done = test::run(io_, registry_->apply(std::move(command)));
    ASSERT_TRUE(done) << done.error().message;
    settle();
  }
  static Check http_check(std::string id, std::chrono::nanoseconds interval = 10s) {
    Check check;
    check.id = std::move(id);
    check.name = check.id;
    check.status = "critical";
    check.agent_owned = true;
    check.definition.kind = Kind::http;
    check.definition.http = "http://web.test/";
    check.definition.interval = interval;
    return check;
  }
  void add(std::vector<Check> checks, const std::string& service = "") {
    registry::RegisterCommand command;
    command.node.name = "n1";
    command.skip_node_update = true;
    command.keep_check_status = true;
    if (!service.empty()) {
      registry::Service made;
      made.id = made.name = service;
      made.agent_owned = true;
      command.service = made;
      for (auto& check : checks) check.service_id = service;
    }
    command.checks = std::move(checks);
    apply(std::move(command));
    pass(200ms);
  }
  void remove(std::string check_id) {
    apply(registry::DeregisterCommand{"n1", "", std::move(check_id)});
    pass(200ms);
  }
  void settle() {
    io_.restart();
    while (io_.poll() > 0) {
    }
  }
  /// Time passes in steps, as it does, so that each wait sees its moment.
  void pass(std::chrono::milliseconds span) {
    for (; span > 0ms; span -= 100ms) {
      clock_.advance(100ms);
      settle();
    }
  }
  registry::CheckPtr check(const std::string& id) { return registry_->snapshot()->check("n1", id); }
  std::string shown(const std::string& id) {
    const auto found = check(id);
    return found ? found->status + ": " + found->output : "gone";
  }
  static CheckResult result(std::string status, std::string output = "said") {
    CheckResult made;
    made.status = std::move(status);
    made.output = std::move(output);
    return made;
  }

  asio::io_context io_;
  test::FakeClock clock_;
  std::unique_ptr<registry::Registry> registry_;
  std::unique_ptr<CheckRunner> runner_;
  CheckResult result_ = result("passing");
  std::map<std::string, int> probed_;
  bool hold_ = false;
  int running_ = 0, most_running_ = 0;
  Signal released_;
};

TEST_F(CheckRunnerTest, ANewCheckRunsSoonButNotAtOnce) {
  add({http_check("a")});
  EXPECT_EQ(shown("a"), "critical: ");
  pass(200ms);
  EXPECT_EQ(probed_["a"], 0);
  pass(1300ms);
  EXPECT_EQ(probed_["a"], 1);
  EXPECT_EQ(shown("a"), "passing: said");
}

TEST_F(CheckRunnerTest, ItRunsAgainSomewhereInItsIntervalAndThenAtIt) {
  add({http_check("a")});
  pass(1800ms);
  EXPECT_EQ(probed_["a"], 1);
  pass(4s);
  EXPECT_EQ(probed_["a"], 1);
  pass(1s);
  EXPECT_EQ(probed_["a"], 2) << "6.5 s after it was seen";
  pass(9s);
  EXPECT_EQ(probed_["a"], 2);
  pass(1s);
  EXPECT_EQ(probed_["a"], 3);
}

TEST_F(CheckRunnerTest, TheGivenStatusStaysUntilTheFirstResult) {
  auto given = http_check("a");
  given.status = "warning";
  add({given});
  pass(200ms);
  EXPECT_EQ(shown("a"), "warning: ");
  result_ = result("critical", "no");
  pass(1500ms);
  EXPECT_EQ(shown("a"), "critical: no");
}

TEST_F(CheckRunnerTest, RegisteredAgainUnchangedItKeepsStatusAndRhythm) {
  add({http_check("a")});
  pass(1500ms);
  ASSERT_EQ(probed_["a"], 1);
  add({http_check("a")});
  EXPECT_EQ(shown("a"), "passing: said");
  pass(3s);
  EXPECT_EQ(probed_["a"], 1);
}

TEST_F(CheckRunnerTest, AChangedDefinitionStartsAfreshAndKeepsTheStatus) {
  add({http_check("a", 60s)});
  pass(1500ms);
  ASSERT_EQ(probed_["a"], 1);
  add({http_check("a", 50s)});
  EXPECT_EQ(shown("a"), "passing: said");
  pass(1500ms);
  EXPECT_EQ(probed_["a"], 2);
}

TEST_F(CheckRunnerTest, ARemovedChecksProbeIsCancelled) {
  hold_ = true;
  add({http_check("a")});
  pass(1500ms);
  ASSERT_EQ(running_, 1);
  remove("a");
  EXPECT_EQ(running_, 0);
  EXPECT_EQ(runner_->stats().running, 0U);
  EXPECT_EQ(runner_->stats().scheduled, 0U);
  pass(30s);
  EXPECT_EQ(probed_["a"], 1);
}

TEST_F(CheckRunnerTest, WhatAProbeFoundForAnOldDefinitionIsNotTold) {
  hold_ = true;
  add({http_check("a")});
  pass(1500ms);
  auto changed = http_check("a");
  changed.definition.http = "http://other.test/";
  registry::RegisterCommand command;
  command.node.name = "n1";
  command.skip_node_update = command.keep_check_status = true;
  command.checks = {changed};
  const auto done = test::run(io_, registry_->apply(std::move(command)));
  ASSERT_TRUE(done);
  released_.bump();
  settle();
  EXPECT_EQ(shown("a"), "critical: ");
}

TEST_F(CheckRunnerTest, OneProbeOfACheckAtATimeAndSoManyInAll) {
  hold_ = true;
  std::vector<Check> checks;
  for (int i = 0; i < 10; ++i) checks.push_back(http_check("c" + std::to_string(i), 1s));
  add(checks);
  pass(5s);
  EXPECT_EQ(most_running_, 3);
  EXPECT_EQ(probed_.size(), 3U);
  hold_ = false;
  released_.bump();
  pass(100ms);
  EXPECT_EQ(probed_.size(), 10U) << "the others were due and have waited";
  EXPECT_EQ(most_running_, 3);
  EXPECT_EQ(running_, 0);
}

TEST_F(CheckRunnerTest, ThresholdsHoldTheStatusBack) {
  auto careful = http_check("a", 1s);
  careful.definition.failures_before_critical = 3;
  add({careful});
  pass(1500ms);
  ASSERT_EQ(shown("a"), "passing: said");
  result_ = result("critical", "no");
  pass(2s);
  EXPECT_EQ(shown("a"), "passing: said");
  pass(1s);
  EXPECT_EQ(shown("a"), "critical: no");
}

TEST_F(CheckRunnerTest, WhatCouldNotEvenRunIsShownAtOnce) {
  auto careful = http_check("a", 1s);
  careful.definition.failures_before_critical = 3;
  add({careful});
  pass(1500ms);
  result_ = result("critical", "no such program");
  result_.at_once = true;
  pass(1s);
  EXPECT_EQ(shown("a"), "critical: no such program");
}

TEST_F(CheckRunnerTest, AnOutputAloneMovesNoIndex) {
  add({http_check("a", 1s)});
  pass(1500ms);
  const auto index = registry_->snapshot()->index();
  result_ = result("passing", "other words");
  pass(1s);
  EXPECT_EQ(shown("a"), "passing: other words");
  EXPECT_EQ(registry_->snapshot()->index(), index);
}

TEST_F(CheckRunnerTest, ChecksOfOthersAreLeftAlone) {
  auto catalogs = http_check("catalog");
  catalogs.agent_owned = false;
  auto reported = http_check("reported");
  reported.definition.kind = Kind::none;
  add({catalogs, reported});
  pass(30s);
  EXPECT_TRUE(probed_.empty());
  EXPECT_EQ(shown("reported"), "critical: ");
}

TEST_F(CheckRunnerTest, ScriptsAreOnlyRunWhereTheyAreEnabled) {
  make_runner(false);
  auto script = http_check("script");
  script.definition.kind = Kind::script;
  script.definition.script_args = {"/bin/true"};
  script.status = "passing";
  auto docker = script;
  docker.id = "docker";
  docker.definition.kind = Kind::docker;
  add({script, docker});
  pass(30s);
  EXPECT_TRUE(probed_.empty());
  const std::string why = "Scripts are disabled on this agent; to enable, configure 'enable_script_checks' to true";
  EXPECT_EQ(shown("script"), "passing: " + why);
  EXPECT_EQ(shown("docker"), "passing: " + why);
  make_runner(true);
  pass(1500ms);
  EXPECT_EQ(shown("script"), "passing: said");
}

TEST_F(CheckRunnerTest, AfterARestartItGoesOn) {
  add({http_check("a")});
  pass(1500ms);
  stop_runner();
  pass(30s);
  EXPECT_EQ(probed_["a"], 1);
  runner_->start();
  settle();
  pass(1500ms);
  EXPECT_EQ(probed_["a"], 2);
}

TEST_F(CheckRunnerTest, AnAliasFollowsItsTarget) {
  Check alias;
  alias.id = "alias";
  alias.name = "alias";
  alias.agent_owned = true;
  alias.definition.kind = Kind::alias;
  alias.definition.alias_service = "web";
  add({alias}, "front");
  EXPECT_EQ(shown("alias"), "critical: Service web could not be found on node ");
  add({http_check("c")}, "web");
  EXPECT_EQ(shown("alias"), "critical: Aliased check \"c\" failing: ");
  pass(1700ms);
  EXPECT_EQ(shown("alias"), "passing: All checks passing.");
  apply(registry::DeregisterCommand{"n1", "web", ""});
  pass(200ms);
  EXPECT_EQ(shown("alias"), "critical: Service web could not be found on node ");
  EXPECT_EQ(probed_.count("alias"), 0U);
}

TEST_F(CheckRunnerTest, ManyAliasesFollowOneTarget) {
  std::vector<Check> aliases(300);
  for (std::size_t i = 0; i < aliases.size(); ++i) {
    aliases[i].id = aliases[i].name = fmt::format("alias {}", i);
    aliases[i].agent_owned = true;
    aliases[i].definition.kind = Kind::alias;
    aliases[i].definition.alias_service = "web";
  }
  add({http_check("c", 1s)}, "web");
  add(aliases, "front");
  const auto saying = [&](const std::string& what) {
    return std::count_if(aliases.begin(), aliases.end(), [&](const Check& alias) { return shown(alias.id) == what; });
  };
  pass(1700ms);
  EXPECT_EQ(saying("passing: All checks passing."), 300);
  result_ = result("critical", "no");
  pass(1500ms);
  EXPECT_EQ(saying("critical: Aliased check \"c\" failing: no"), 300);
}

TEST_F(CheckRunnerTest, AServiceThatStaysCriticalIsRemovedWithAllItsChecksAndItsSidecar) {
  result_ = result("critical", "no");
  auto failing = http_check("failing", 1s);
  failing.definition.deregister_critical_after = 1s;
  add({failing, http_check("other")}, "web");
  registry::RegisterCommand sidecar;
  sidecar.node.name = "n1";
  sidecar.skip_node_update = true;
  sidecar.service.emplace();
  sidecar.service->id = sidecar.service->name = "web-sidecar-proxy";
  sidecar.service->kind = "connect-proxy";
  apply(sidecar);
  pass(60s);
  EXPECT_NE(registry_->snapshot()->service("n1", "web"), nullptr) << "a minute is the least";
  pass(31s);
  EXPECT_EQ(registry_->snapshot()->service("n1", "web"), nullptr);
  EXPECT_EQ(registry_->snapshot()->service("n1", "web-sidecar-proxy"), nullptr);
  EXPECT_EQ(shown("other"), "gone");
  EXPECT_EQ(runner_->stats().scheduled, 0U);
}

TEST_F(CheckRunnerTest, AScriptThatMayNotRunRemovesNoService) {
  make_runner(false);
  for (const auto kind : {Kind::script, Kind::docker}) {
    auto script = http_check(kind == Kind::script ? "script" : "docker", 1s);
    script.definition.kind = kind;
    script.definition.script_args = {"/bin/true"};
    script.definition.deregister_critical_after = 1s;
    add({script}, script.id);
  }
  auto failing = http_check("failing", 1s);
  failing.definition.deregister_critical_after = 1s;
  result_ = result("critical", "no");
  add({failing}, "web");
  pass(125s);
  EXPECT_EQ(registry_->snapshot()->service("n1", "web"), nullptr) << "one that runs and fails does";
  EXPECT_NE(registry_->snapshot()->service("n1", "script"), nullptr);
  EXPECT_NE(registry_->snapshot()->service("n1", "docker"), nullptr);
  EXPECT_EQ(check("script")->status, "critical");
}

TEST_F(CheckRunnerTest, AnExpiredTtlCheckIsReapedToo) {
  registry::TtlChecks ttls(io_.get_executor(), *registry_, *registry_, clock_);
  ttls.start();
  Check beat;
  beat.id = "beat";
  beat.agent_owned = true;
  beat.status = "passing";
  beat.definition.kind = Kind::ttl;
  beat.definition.ttl = 5s;
  beat.definition.deregister_critical_after = 1min;
  add({beat}, "web");
  pass(6s);
  EXPECT_EQ(shown("beat"), "critical: TTL expired");
  pass(55s);
  EXPECT_NE(registry_->snapshot()->service("n1", "web"), nullptr);
  pass(35s);
  EXPECT_EQ(registry_->snapshot()->service("n1", "web"), nullptr);
  test::run(io_, ttls.stop());
}

}  // namespace
}  // namespace devstack::health
