#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "core/base/async/task_group.h"
#include "core/registry/expiry.h"
#include "core/registry/registry.h"
#include "core/registry/snapshot.h"
#include "tests/support/fake_clock.h"
#include "tests/support/run.h"
#include "tests/support/temp_dir.h"

/// A snapshot restored into a registry on a real file: whole or not at all, and the registry stays itself.
namespace devstack::registry {
namespace {

struct Opened {
  explicit Opened(const std::string& directory, std::string node = "laptop") {
    RegistryOptions options;
    options.identity.node = std::move(node);
    options.identity.address = "127.0.0.1";
    options.data_dir = directory;
    auto result = test::run(io, Registry::open(io.get_executor(), std::move(options)));
    if (!result) throw std::runtime_error(result.error().message);
    registry = std::move(*result);
  }
  ~Opened() { test::run(io, registry->close()); }
  Result<CommandResult> apply(Command command) { return test::run(io, registry->apply(std::move(command))); }
  void put(const std::string& key, const std::string& value) {
    KvSetCommand command;
    command.key = key;
    command.value = value;
    ASSERT_TRUE(apply(command));
  }
  void add_service(const std::string& name, const std::string& source = "") {
    Service service;
    service.name = name;
    service.source = source;
    Check check;
    check.status = status::passing;
    std::vector<Check> checks{check};
    ASSERT_TRUE(test::run(io, register_service(*registry, std::move(service), std::move(checks))));
  }
  void restore(const std::string& snapshot) {
    auto command = decode_snapshot(snapshot);
    ASSERT_TRUE(command) << command.error().message;
    const auto done = apply(*command);
    ASSERT_TRUE(done) << done.error().message;
  }
  [[nodiscard]] std::shared_ptr<const State> state() const { return registry->snapshot(); }
  [[nodiscard]] std::string snapshot() const { return encode_snapshot(*state()); }

  asio::io_context io;
  std::unique_ptr<Registry> registry;
};

TEST(Restore, ReplacesWhatIsThereAndIsThereAfterReopening) {
  const test::TempDir dir;
  std::string after;
  {
    Opened r(dir.path());
    r.put("kept", "old");
    r.add_service("web");
    const auto saved = r.snapshot();
    r.put("kept", "new");
    r.put("later", "x");
    ASSERT_TRUE(test::run(r.io, deregister_service(*r.registry, "web")));
    const auto index = r.state()->index();
    r.restore(saved);
    EXPECT_GT(r.state()->index(), index);
    EXPECT_EQ(r.state()->kv("kept")->value, "old");
    EXPECT_EQ(r.state()->kv("later"), nullptr);
    EXPECT_EQ(r.state()->instances("web").size(), 1U);
    after = r.snapshot();
  }
  Opened r(dir.path());
  EXPECT_EQ(r.snapshot(), after);
}

TEST(Restore, IntoAFreshRegistryKeepsTheOwnNodeItself) {
  const test::TempDir one, two;
  std::string saved;
  {
    Opened r(one.path());
    r.put("k", "v");
    r.add_service("web");
    saved = r.snapshot();
  }
  Opened r(two.path());
  const auto id = r.registry->identity().node_id;
  r.restore(saved);
  EXPECT_EQ(r.state()->node("laptop")->id, id);
  EXPECT_EQ(r.state()->kv("k")->value, "v");
  EXPECT_EQ(r.state()->instances("web").size(), 1U);
  EXPECT_EQ(r.state()->check("laptop", "serfHealth")->status, "passing");
  SessionCreateCommand session;
  session.session.id = "s1";
  session.session.node = "laptop";
  session.session.node_checks = {"serfHealth"};
  EXPECT_TRUE(r.apply(session));
}

TEST(Restore, DropsTheNodesOfOtherAgentsButNotExternalOnes) {
  const test::TempDir one, two;
  std::string saved;
  {
    Opened r(one.path(), "elsewhere");
    r.add_service("web");
    RegisterCommand external;
    external.node.name = "router";
    external.node.address = "10.0.0.1";
    ASSERT_TRUE(r.apply(external));
    saved = r.snapshot();
  }
  Opened r(two.path());
  r.restore(saved);
  EXPECT_EQ(r.state()->node("elsewhere"), nullptr);
  EXPECT_FALSE(r.state()->has_service("web"));
  EXPECT_NE(r.state()->node("router"), nullptr);
  EXPECT_EQ(r.state()->instances("consul").size(), 1U);
}

TEST(Restore, WhatPartsOfDevstackOwnStaysAsItIsNow) {
  const test::TempDir dir;
  Opened r(dir.path());
  r.add_service("stopped", "registrator");
  r.add_service("running", "registrator");
  const auto saved = r.snapshot();
  ASSERT_TRUE(test::run(r.io, deregister_service(*r.registry, "stopped")));
  ASSERT_TRUE(r.apply(UpdateCheckCommand{"laptop", "service:running", "critical", "down"}));
  r.add_service("started", "registrator");
  r.restore(saved);
  EXPECT_FALSE(r.state()->has_service("stopped"));
  EXPECT_TRUE(r.state()->has_service("started"));
  ASSERT_EQ(r.state()->instances("running").size(), 1U);
  EXPECT_EQ(r.state()->check("laptop", "service:running")->status, "critical");
}

TEST(Restore, WhatTheAgentHasRegisteredSinceComesBack) {
  const test::TempDir dir;
  Opened r(dir.path());
  r.add_service("both");
  const auto saved = r.snapshot();
  r.add_service("since");
  ASSERT_TRUE(r.apply(UpdateCheckCommand{"laptop", "service:both", "critical", "down"}));
  RegisterCommand others;
  others.node.name = "laptop";
  others.skip_node_update = true;
  Check disk;
  disk.id = disk.name = "disk";
  disk.status = status::warning;
  disk.agent_owned = true;
  Check foreign;
  foreign.id = foreign.name = "foreign";
  others.checks = {disk, foreign};
  others.service.emplace();
  others.service->name = "catalog-only";
  ASSERT_TRUE(r.apply(others));
  r.restore(saved);
  ASSERT_EQ(r.state()->instances("since").size(), 1U);
  EXPECT_TRUE(r.state()->instances("since")[0].service->agent_owned);
  EXPECT_EQ(r.state()->check("laptop", "service:since")->status, "passing");
  EXPECT_EQ(r.state()->check("laptop", "service:both")->status, "critical");
  ASSERT_NE(r.state()->check("laptop", "disk"), nullptr);
  EXPECT_EQ(r.state()->check("laptop", "disk")->status, "warning");
  EXPECT_EQ(r.state()->check("laptop", "foreign"), nullptr);
  EXPECT_FALSE(r.state()->has_service("catalog-only"));
}

TEST(Restore, SessionsHaveTheirWholeTimeAgain) {
  const test::TempDir dir;
  Opened r(dir.path());
  test::FakeClock clock;
  SessionExpiry expiry(r.io.get_executor(), *r.registry, *r.registry, clock);
  expiry.start();
  SessionCreateCommand session;
  session.session.id = "s1";
  session.session.node = "laptop";
  session.session.ttl = "10s";
  ASSERT_TRUE(r.apply(session));
  const auto settle = [&] {
    for (int i = 0; i < 50; ++i) {
      r.io.restart();
      r.io.poll();
    }
  };
  const auto turn = [&](std::chrono::seconds by) {
    settle();
    clock.advance(by);
    settle();
  };
  turn(std::chrono::seconds(1));  // the session is seen, its 20 seconds begin
  const auto saved = r.snapshot();
  turn(std::chrono::seconds(15));
  r.restore(saved);
  turn(std::chrono::seconds(1));  // all begin afresh
  turn(std::chrono::seconds(15));
  EXPECT_NE(r.state()->session("s1"), nullptr);
  for (int i = 0; i < 40 && r.state()->session("s1"); ++i) {
    turn(std::chrono::seconds(1));
    r.put("turn", std::to_string(i));  // waits for the disk, which an expiry goes to
  }
  EXPECT_EQ(r.state()->session("s1"), nullptr);
  test::run(r.io, expiry.stop());
}

/// Restores two snapshots in turn for ever, telling each acknowledged one through the pipe.
[[noreturn]] void restore_until_killed(const std::string& directory, std::string odd, std::string even, int pipe) {
  Opened r(directory);
  for (int i = 0;; ++i) {
    auto command = decode_snapshot(i % 2 == 0 ? even : odd);
    if (!command || !r.apply(*command) || ::write(pipe, &i, sizeof i) != sizeof i) _exit(1);
  }
}

TEST(Restore, KillMinusNineLeavesOneOrTheOther) {
  const test::TempDir dir;
  std::string snapshots[2];
  {
    Opened r(dir.path());
    for (auto& snapshot : snapshots) {
      const std::string value(1, static_cast<char>('a' + (&snapshot - snapshots)));
      for (int i = 0; i < 300; ++i) r.put("k" + std::to_string(i), value);
      snapshot = r.snapshot();
    }
  }
  for (int round = 0; round < 4; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const auto child = fork();
    if (child == 0) {
      close(ends[0]);
      restore_until_killed(dir.path(), snapshots[1], snapshots[0], ends[1]);
    }
    close(ends[1]);
    int number = 0;
    for (int i = 0; i < 3 + round; ++i) ASSERT_EQ(read(ends[0], &number, sizeof number), ssize_t{sizeof number});
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    close(ends[0]);
    Opened r(dir.path());
    ASSERT_EQ(r.state()->kv_prefix("k").size(), 300U);
    const auto value = r.state()->kv("k0")->value;
    for (const auto& entry : r.state()->kv_prefix("k")) ASSERT_EQ(entry->value, value) << entry->key;
  }
}

}  // namespace
}  // namespace devstack::registry
