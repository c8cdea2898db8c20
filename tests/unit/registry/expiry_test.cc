#include "core/registry/expiry.h"

#include <gmock/gmock.h>

#include "core/base/async/signal.h"
#include "core/registry/snapshot.h"
#include "tests/support/fake_clock.h"
#include "tests/support/run.h"

namespace devstack::registry {
namespace {

using namespace std::chrono_literals;

/// A registry in memory and a clock that is turned by hand.
struct Expiry : testing::Test {
  Expiry() {
    RegistryOptions options;
    options.identity.node = "n1";
    options.identity.address = "127.0.0.1";
    options.clock = &clock;
    auto opened = test::run(io, Registry::open(io.get_executor(), std::move(options)));
    if (!opened) throw std::runtime_error(opened.error().message);
    registry = std::move(*opened);
    sessions = std::make_unique<SessionExpiry>(io.get_executor(), *registry, *registry, clock);
    checks = std::make_unique<TtlChecks>(io.get_executor(), *registry, *registry, clock);
    sessions->start();
    checks->start();
  }
  ~Expiry() override {
    test::run(io, sessions->stop());
    test::run(io, checks->stop());
    test::run(io, registry->close());
  }
  void apply(Command command) {
    const auto done = test::run(io, registry->apply(std::move(command)));
    ASSERT_TRUE(done) << done.error().message;
    settle();
  }
  /// Runs what is ready.
  void settle() {
    io.restart();
    while (io.poll() > 0) {
    }
  }
  /// Time passes in steps, as it does, so that each wait sees its moment.
  void pass(std::chrono::milliseconds span) {
    for (; span > 0ms; span -= 100ms) {
      clock.advance(100ms);
      settle();
    }
  }
  void session(std::string id, std::string ttl) {
    SessionCreateCommand create;
    create.session.id = std::move(id);
    create.session.node = "n1";
    create.session.ttl = std::move(ttl);
    create.session.node_checks = {"serfHealth"};
    apply(create);
    pass(200ms);
  }
  void ttl_check(std::string id, std::chrono::nanoseconds ttl) {
    RegisterCommand command;
    command.node.name = "n1";
    Check check;
    check.id = std::move(id);
    check.status = "passing";
    check.output = "alive";
    check.definition.kind = CheckDefinition::Kind::ttl;
    check.definition.ttl = ttl;
    command.checks.push_back(check);
    apply(command);
    pass(200ms);
  }

  asio::io_context io;
  test::FakeClock clock;
  std::unique_ptr<Registry> registry;
  std::unique_ptr<SessionExpiry> sessions;
  std::unique_ptr<TtlChecks> checks;
};

TEST_F(Expiry, ASessionEndsAtTwiceItsTtl) {
  session("s1", "10s");
  pass(19s);
  EXPECT_NE(registry->snapshot()->session("s1"), nullptr);
  pass(2s);
  EXPECT_EQ(registry->snapshot()->session("s1"), nullptr);
}

TEST_F(Expiry, RenewalGivesItTwiceItsTtlAgain) {
  session("s1", "10s");
  for (int i = 0; i < 3; ++i) {
    pass(19s);
    sessions->renew("S1");
    settle();
  }
  EXPECT_NE(registry->snapshot()->session("s1"), nullptr);
  pass(21s);
  EXPECT_EQ(registry->snapshot()->session("s1"), nullptr);
}

TEST_F(Expiry, StoppedAndStartedAgainItGoesOn) {
  session("s1", "10s");
  test::run(io, sessions->stop());
  sessions->start();
  settle();
  pass(21s);
  EXPECT_EQ(registry->snapshot()->session("s1"), nullptr);
}

TEST_F(Expiry, ASessionWithoutTtlStays) {
  session("s1", "");
  pass(60s);
  EXPECT_NE(registry->snapshot()->session("s1"), nullptr);
}

TEST_F(Expiry, ManySessionsEndEachAtItsTime) {
  for (int i = 0; i < 100; ++i) {
    SessionCreateCommand create;
    create.session.id = fmt::format("s{}", i);
    create.session.node = "n1";
    create.session.ttl = i % 2 == 0 ? "10s" : "20s";
    apply(create);
  }
  pass(22s);
  EXPECT_EQ(registry->snapshot()->sessions().size(), 50U);
  pass(20s);
  EXPECT_TRUE(registry->snapshot()->sessions().empty());
}

TEST_F(Expiry, AMissedHeartbeatTurnsTheCheckCritical) {
  ttl_check("c", 5s);
  pass(4s);
  EXPECT_EQ(registry->snapshot()->check("n1", "c")->status, "passing");
  checks->heartbeat("N1", "C");
  settle();
  pass(4s);
  EXPECT_EQ(registry->snapshot()->check("n1", "c")->status, "passing");
  pass(2s);
  EXPECT_EQ(registry->snapshot()->check("n1", "c")->status, "critical");
  EXPECT_EQ(registry->snapshot()->check("n1", "c")->output, "TTL expired (last output before timeout follows): alive");
}

TEST_F(Expiry, ACheckThatCameBackIsTimedAgain) {
  ttl_check("c", 5s);
  pass(6s);
  ASSERT_EQ(registry->snapshot()->check("n1", "c")->status, "critical");
  apply(UpdateCheckCommand{"n1", "c", "passing", ""});
  checks->heartbeat("n1", "c");
  settle();
  pass(6s);
  EXPECT_EQ(registry->snapshot()->check("n1", "c")->output, "TTL expired");
}

TEST_F(Expiry, ARemovedCheckIsForgotten) {
  ttl_check("c", 5s);
  apply(DeregisterCommand{"n1", "", "c"});
  pass(10s);
  EXPECT_EQ(registry->snapshot()->check("n1", "c"), nullptr);
}

TEST_F(Expiry, ADeadlineFromBeforeARestoreEndsNothing) {
  session("s1", "10s");
  ttl_check("c", 20s);
  auto saved = decode_snapshot(encode_snapshot(*registry->snapshot()));
  ASSERT_TRUE(saved) << saved.error().message;
  sessions->renew("s1");
  checks->heartbeat("n1", "c");
  settle();  // both are due in 20 s
  pass(19900ms);
  clock.advance(50ms);
  settle();
  apply(std::move(*saved));
  clock.advance(75ms);  // both are due, and what was restored is not looked at for another 25 ms
  settle();
  EXPECT_NE(registry->snapshot()->session("s1"), nullptr);
  EXPECT_EQ(registry->snapshot()->check("n1", "c")->status, "passing");
  pass(15s);
  EXPECT_NE(registry->snapshot()->session("s1"), nullptr);
  EXPECT_EQ(registry->snapshot()->check("n1", "c")->status, "passing");
  pass(6s);
  EXPECT_EQ(registry->snapshot()->session("s1"), nullptr);
}

/// What is written waits until it is let through.
struct Held final : RegistryWriter {
  Held(const asio::any_io_executor& loop, RegistryWriter& behind) : to(behind), open(loop) {}
  asio::awaitable<Result<CommandResult>> apply(Command command) override {
    ++waiting;
    co_await open.wait_past(0, Instant::max());
    co_return co_await to.apply(std::move(command));
  }
  Identity identity() const override { return to.identity(); }
  RegistryWriter& to;
  Signal open;
  int waiting = 0;
};

TEST_F(Expiry, AnExpiryThatIsWrittenAfterARestoreEndsNothing) {
  test::run(io, sessions->stop());
  test::run(io, checks->stop());
  Held held(io.get_executor(), *registry);
  sessions = std::make_unique<SessionExpiry>(io.get_executor(), *registry, held, clock);
  checks = std::make_unique<TtlChecks>(io.get_executor(), *registry, held, clock);
  sessions->start();
  checks->start();
  session("s1", "10s");
  ttl_check("c", 20s);
  auto saved = decode_snapshot(encode_snapshot(*registry->snapshot()));
  ASSERT_TRUE(saved) << saved.error().message;
  pass(21s);
  ASSERT_EQ(held.waiting, 2);
  apply(std::move(*saved));
  held.open.bump();
  pass(5s);
  EXPECT_NE(registry->snapshot()->session("s1"), nullptr);
  EXPECT_EQ(registry->snapshot()->check("n1", "c")->status, "passing");
  pass(16s);  // what was restored is given its time from then on
  EXPECT_EQ(registry->snapshot()->session("s1"), nullptr);
  EXPECT_EQ(registry->snapshot()->check("n1", "c")->status, "critical");
}

TEST_F(Expiry, ACheckThatIsNoTtlCheckAnyMoreIsLeftAlone) {
  ttl_check("c", 5s);
  RegisterCommand command;
  command.node.name = "n1";
  Check check;
  check.id = "c";
  check.status = "passing";
  command.checks.push_back(check);
  apply(command);
  pass(10s);
  EXPECT_EQ(registry->snapshot()->check("n1", "c")->status, "passing");
}

TEST_F(Expiry, AnotherTtlStartsAfresh) {
  ttl_check("c", 5s);
  pass(4s);
  ttl_check("c", 8s);
  pass(7s);
  EXPECT_EQ(registry->snapshot()->check("n1", "c")->status, "passing");
  pass(2s);
  EXPECT_EQ(registry->snapshot()->check("n1", "c")->status, "critical");
}

TEST_F(Expiry, TombstonesAreForgottenAfterAQuarterOfAnHour) {
  KvSetCommand put;
  put.key = "p/old";
  apply(put);
  const auto kept = registry->snapshot()->index();
  put.key = "p/new";
  apply(put);
  apply(KvDeleteCommand{"p/new", false, {}});
  pass(10min);
  EXPECT_GT(registry->snapshot()->kv_prefix_index("p/"), kept);
  pass(8min);
  EXPECT_EQ(registry->snapshot()->kv_prefix_index("p/"), kept);
}

}  // namespace
}  // namespace devstack::registry
