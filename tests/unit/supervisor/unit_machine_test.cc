#include "core/supervisor/unit_machine.h"

#include <gtest/gtest.h>

#include <random>

namespace devstack::supervisor {
namespace {

using namespace std::chrono_literals;
using Kind = UnitEvent::Kind;
using PolicyKind = stack::RestartPolicy::Kind;
using State = UnitState;

constexpr Instant begin{std::chrono::hours(1)};

UnitEvent on(Kind kind, int code = 0, std::string health = {}) {
  UnitEvent event;
  event.kind = kind;
  event.code = code;
  event.health = std::move(health);
  return event;
}

UnitEvent transient() {
  UnitEvent event = on(Kind::start_failed);
  event.retry = true;
  event.detail = "engine not reachable";
  return event;
}

stack::RestartPolicy policy(PolicyKind kind, int max = 0) { return {kind, max}; }

UnitMachine after(const std::vector<UnitEvent>& events, stack::RestartPolicy restart = {}) {
  UnitMachine machine(restart);
  for (const auto& event : events) machine.handle(event, begin);
  return machine;
}

const std::vector<UnitEvent> to_running{on(Kind::start_requested), on(Kind::dependencies_ready), on(Kind::started)};

std::vector<UnitEvent> running_then(std::vector<UnitEvent> more) {
  auto events = to_running;
  events.insert(events.end(), more.begin(), more.end());
  return events;
}

TEST(UnitMachine, FollowsTheTable) {
  struct Row {
    const char* what;
    std::vector<UnitEvent> events;
    State state;
    Work work;
    PolicyKind policy = PolicyKind::no;
  };
  const std::vector<Row> rows{
      {"new", {}, State::pending, Work::none},
      {"asked to start", {on(Kind::start_requested)}, State::waiting, Work::await_dependencies},
      {"dependencies there", {on(Kind::start_requested), on(Kind::dependencies_ready)}, State::starting, Work::launch},
      {"a dependency failed", {on(Kind::start_requested), on(Kind::dependency_failed)}, State::failed, Work::none},
      {"started without a check", to_running, State::running, Work::none},
      {"started with a check",
       {on(Kind::start_requested), on(Kind::dependencies_ready), on(Kind::started, 0, "starting")},
       State::starting,
       Work::none},
      {"check passed",
       {on(Kind::start_requested), on(Kind::dependencies_ready), on(Kind::started, 0, "starting"),
        on(Kind::health_passed)},
       State::running,
       Work::none},
      {"check failed", running_then({on(Kind::health_failed)}), State::unhealthy, Work::none},
      {"check recovered", running_then({on(Kind::health_failed), on(Kind::health_passed)}), State::running, Work::none},
      {"ended well", running_then({on(Kind::exited, 0)}), State::completed, Work::none},
      {"ended before we knew that it had started",
       {on(Kind::start_requested), on(Kind::dependencies_ready), on(Kind::exited, 3), on(Kind::started)},
       State::failed,
       Work::none},
      {"ended badly", running_then({on(Kind::exited, 3)}), State::failed, Work::none},
      {"ended, always", running_then({on(Kind::exited, 0)}), State::backoff, Work::await_backoff, PolicyKind::always},
      {"ended well, on-failure", running_then({on(Kind::exited, 0)}), State::completed, Work::none,
       PolicyKind::on_failure},
      {"ended badly, on-failure", running_then({on(Kind::exited, 1)}), State::backoff, Work::await_backoff,
       PolicyKind::on_failure},
      {"lost, whatever the policy", running_then({on(Kind::lost)}), State::backoff, Work::await_backoff},
      {"stop", running_then({on(Kind::stop_requested)}), State::stopping, Work::halt},
      {"stop while launching",
       {on(Kind::start_requested), on(Kind::dependencies_ready), on(Kind::stop_requested)},
       State::stopping,
       Work::halt},
      {"stop while waiting", {on(Kind::start_requested), on(Kind::stop_requested)}, State::stopped, Work::none},
      {"stop while backing off", running_then({on(Kind::exited, 1), on(Kind::stop_requested)}), State::stopping,
       Work::halt, PolicyKind::always},
      {"exit while stopping is not the end", running_then({on(Kind::stop_requested), on(Kind::exited, 143)}),
       State::stopping, Work::halt},
      {"stopped", running_then({on(Kind::stop_requested), on(Kind::stopped)}), State::stopped, Work::none},
      {"start during a stop", running_then({on(Kind::stop_requested), on(Kind::start_requested), on(Kind::stopped)}),
       State::waiting, Work::await_dependencies},
      {"stop, start, stop",
       running_then({on(Kind::stop_requested), on(Kind::start_requested), on(Kind::stop_requested), on(Kind::stopped)}),
       State::stopped, Work::none},
      {"never stopped by policy: unless-stopped", running_then({on(Kind::stop_requested), on(Kind::stopped)}),
       State::stopped, Work::none, PolicyKind::unless_stopped},
      {"stop of what has ended", running_then({on(Kind::exited, 0), on(Kind::stop_requested)}), State::stopping,
       Work::halt},
      {"found running", {on(Kind::adopted)}, State::running, Work::none},
      {"found running, unhealthy", {on(Kind::adopted, 0, "unhealthy")}, State::unhealthy, Work::none},
      {"found completed", {on(Kind::exited, 0), on(Kind::backoff_elapsed)}, State::completed, Work::none},
      {"found failed: to be started", {on(Kind::exited, 1)}, State::pending, Work::none},
      {"found ended, always: to be started", {on(Kind::exited, 0)}, State::pending, Work::none, PolicyKind::always},
      {"cannot be launched",
       {on(Kind::start_requested), on(Kind::dependencies_ready), on(Kind::start_failed)},
       State::failed,
       Work::none,
       PolicyKind::always},
      {"no engine",
       {on(Kind::start_requested), on(Kind::dependencies_ready), transient()},
       State::backoff,
       Work::await_backoff},
      {"changed while it runs", running_then({on(Kind::restart_requested)}), State::stopping, Work::halt},
      {"changed: stopped, then begun afresh", running_then({on(Kind::restart_requested), on(Kind::stopped)}),
       State::waiting, Work::await_dependencies},
      {"changed after it failed", running_then({on(Kind::exited, 1), on(Kind::restart_requested)}), State::waiting,
       Work::await_dependencies},
      {"changed while it backs off", running_then({on(Kind::exited, 1), on(Kind::restart_requested)}), State::stopping,
       Work::halt, PolicyKind::always},
      {"changed while stopped by the user",
       running_then({on(Kind::stop_requested), on(Kind::stopped), on(Kind::restart_requested)}), State::stopped,
       Work::none},
      {"changed while the user stops it",
       running_then({on(Kind::stop_requested), on(Kind::restart_requested), on(Kind::stopped)}), State::stopped,
       Work::none},
      {"changed, then stopped by the user",
       running_then({on(Kind::restart_requested), on(Kind::stop_requested), on(Kind::stopped)}), State::stopped,
       Work::none},
      {"healthy before we knew that it had started",
       {on(Kind::start_requested), on(Kind::dependencies_ready), on(Kind::health_passed),
        on(Kind::started, 0, "starting")},
       State::running,
       Work::none},
      {"failed, started again", running_then({on(Kind::exited, 1), on(Kind::start_requested)}), State::waiting,
       Work::await_dependencies},
  };
  for (const auto& row : rows) {
    const auto machine = after(row.events, policy(row.policy));
    EXPECT_EQ(to_string(machine.state()), to_string(row.state)) << row.what;
    EXPECT_EQ(machine.work(), row.work) << row.what;
  }
}

stack::RestartPolicy delayed(PolicyKind kind, std::chrono::nanoseconds delay, std::chrono::nanoseconds most = {}) {
  auto made = policy(kind);
  made.delay = delay;
  made.max_delay = most;
  return made;
}

TEST(UnitMachine, BackoffDoublesFromThePolicysDelayToItsLargest) {
  EXPECT_EQ(backoff_delay({}, 1), 100ms);
  EXPECT_EQ(backoff_delay({}, 2), 200ms);
  EXPECT_EQ(backoff_delay({}, 10), 51200ms);
  EXPECT_EQ(backoff_delay({}, 11), 60s);
  EXPECT_EQ(backoff_delay({}, 1000000), 60s);
  const auto own = delayed(PolicyKind::always, 2s, 5s);
  EXPECT_EQ(backoff_delay(own, 1), 2s);
  EXPECT_EQ(backoff_delay(own, 2), 4s);
  EXPECT_EQ(backoff_delay(own, 3), 5s);
  EXPECT_EQ(backoff_delay(delayed(PolicyKind::always, 90s), 1), 60s) << "the largest wins";
}

UnitEvent given_up() {
  UnitEvent event = on(Kind::exited, 1);
  event.given_up = true;
  event.detail = "liveness check fails";
  return event;
}

TEST(UnitMachine, AFailedLivenessCheckStartsItAgainWithoutAPolicyAndCountsAsAFailure) {
  auto machine = after(running_then({given_up()}));
  EXPECT_EQ(machine.state(), State::backoff);
  EXPECT_EQ(machine.detail(), "liveness check fails; starting again in 100ms");
  machine.handle(on(Kind::backoff_elapsed), begin + 100ms);
  EXPECT_EQ(machine.restarts(), 1);
  machine.handle(on(Kind::started), begin + 100ms);
  machine.handle(given_up(), begin + 1s);
  EXPECT_EQ(machine.backoff_until(), begin + 1s + 200ms);

  machine = after(running_then({given_up()}), policy(PolicyKind::on_failure, 1));
  machine.handle(on(Kind::backoff_elapsed), begin + 1s);
  machine.handle(on(Kind::started), begin + 1s);
  machine.handle(given_up(), begin + 2s);
  EXPECT_EQ(machine.state(), State::failed) << "on-failure:1 allows one";
  EXPECT_EQ(machine.detail(), "liveness check fails");
}

UnitMachine scheduled(stack::RestartPolicy restart = {}) {
  UnitMachine machine(restart, 1min);
  for (const auto& event : to_running) machine.handle(event, begin);
  return machine;
}

TEST(UnitMachine, AScheduleRunsItAgainThatLongAfterTheRunBeforeBegan) {
  auto machine = scheduled();
  EXPECT_EQ(machine.next_run(), std::nullopt) << "it runs";
  machine.handle(on(Kind::exited, 0), begin + 10s);
  EXPECT_EQ(machine.state(), State::completed);
  EXPECT_EQ(machine.work(), Work::await_backoff);
  EXPECT_EQ(machine.next_run(), begin + 1min);
  machine.handle(on(Kind::backoff_elapsed), begin + 59s);
  EXPECT_EQ(machine.state(), State::completed) << "too early";
  machine.handle(on(Kind::backoff_elapsed), begin + 1min);
  EXPECT_EQ(machine.work(), Work::launch);
  EXPECT_EQ(machine.restarts(), 0);
  machine.handle(on(Kind::started), begin + 1min);
  machine.handle(on(Kind::exited, 0), begin + 5min);
  EXPECT_EQ(machine.next_run(), begin + 5min) << "a run that took too long is followed at once, by one";
}

TEST(UnitMachine, AScheduleGoesOnAfterAFailureAndEndsWithAStop) {
  auto machine = scheduled();
  machine.handle(on(Kind::exited, 3), begin + 10s);
  EXPECT_EQ(machine.state(), State::failed);
  machine.handle(on(Kind::backoff_elapsed), begin + 1min);
  machine.handle(on(Kind::started), begin + 1min);
  EXPECT_EQ(machine.state(), State::running);
  machine.handle(on(Kind::exited, 0), begin + 61s);
  machine.handle(on(Kind::stop_requested), begin + 62s);
  machine.handle(on(Kind::stopped), begin + 62s);
  EXPECT_EQ(machine.state(), State::stopped);
  EXPECT_EQ(machine.next_run(), std::nullopt);
  machine.handle(on(Kind::backoff_elapsed), begin + 10min);
  EXPECT_EQ(machine.state(), State::stopped);

  machine = scheduled(policy(PolicyKind::on_failure, 1));
  for (const auto run : {0min, 1min}) {
    machine.handle(on(Kind::exited, 3), begin + run + 1s);
    EXPECT_EQ(machine.state(), State::backoff) << "each run has its own restarts";
    machine.handle(on(Kind::backoff_elapsed), begin + run + 2s);
    machine.handle(on(Kind::started), begin + run + 2s);
    machine.handle(on(Kind::exited, 3), begin + run + 3s);
    EXPECT_EQ(machine.state(), State::failed);
    machine.handle(on(Kind::backoff_elapsed), begin + run + 2min);
    machine.handle(on(Kind::started), begin + run + 1min);
  }
}

TEST(UnitMachine, AScheduleWhoseDependencyFailedWaitsForItAgain) {
  UnitMachine machine({}, 1min);
  machine.handle(on(Kind::start_requested), begin);
  machine.handle(on(Kind::dependency_failed), begin);
  machine.handle(on(Kind::backoff_elapsed), begin + 1min);
  EXPECT_EQ(machine.work(), Work::await_dependencies);
}

TEST(UnitMachine, BackoffDoublesAndIsForgottenAfterRunningWell) {
  auto machine = after(to_running, delayed(PolicyKind::always, 1s));
  Instant now = begin;
  for (const auto expected : {1s, 2s, 4s}) {
    machine.handle(on(Kind::exited, 1), now);
    EXPECT_EQ(machine.backoff_until() - now, expected);
    machine.handle(on(Kind::backoff_elapsed), now + expected - 1ms);
    EXPECT_EQ(machine.state(), State::backoff) << "too early";
    now += expected;
    machine.handle(on(Kind::backoff_elapsed), now);
    EXPECT_EQ(machine.state(), State::starting);
    machine.handle(on(Kind::started), now);
  }
  EXPECT_EQ(machine.restarts(), 3);
  now += stable_after;
  machine.handle(on(Kind::exited, 1), now);
  EXPECT_EQ(machine.backoff_until() - now, 1s);
}

TEST(UnitMachine, OnFailureGivesUpAfterItsRetries) {
  auto machine = after(to_running, policy(PolicyKind::on_failure, 2));
  Instant now = begin;
  for (int i = 0; i < 2; ++i) {
    machine.handle(on(Kind::exited, 1), now);
    now += 1h;
    machine.handle(on(Kind::backoff_elapsed), now);
    machine.handle(on(Kind::started), now);
    now += 1h;
  }
  machine.handle(on(Kind::exited, 9), now);
  EXPECT_EQ(machine.state(), State::failed);
  EXPECT_EQ(machine.exit_code(), 9);
  EXPECT_EQ(machine.detail(), "exited with code 9");
}

TEST(UnitMachine, RetriesWithoutEngineAreNoRestarts) {
  auto machine = after({on(Kind::start_requested), on(Kind::dependencies_ready), transient()});
  EXPECT_EQ(machine.detail(), "engine not reachable");
  machine.handle(on(Kind::backoff_elapsed), begin + 1s);
  machine.handle(transient(), begin + 1s);
  EXPECT_EQ(machine.backoff_until(), begin + 3s) << "no storm";
  EXPECT_EQ(machine.restarts(), 0);
}

/// Random events: what must hold whatever happens.
TEST(UnitMachine, NoEventSequenceBreaksItsPromises) {
  const std::vector<Kind> kinds{Kind::start_requested,
                                Kind::dependencies_ready,
                                Kind::dependency_failed,
                                Kind::started,
                                Kind::adopted,
                                Kind::start_failed,
                                Kind::health_passed,
                                Kind::health_failed,
                                Kind::exited,
                                Kind::lost,
                                Kind::stop_requested,
                                Kind::restart_requested,
                                Kind::stopped,
                                Kind::backoff_elapsed,
                                Kind::paused,
                                Kind::resumed,
                                Kind::created};
  const std::vector<stack::RestartPolicy> policies{policy(PolicyKind::no), policy(PolicyKind::always),
                                                   policy(PolicyKind::on_failure), policy(PolicyKind::on_failure, 2),
                                                   policy(PolicyKind::unless_stopped)};
  std::mt19937 random(20230701);
  for (int run = 0; run < 3000; ++run) {
    const auto restart = policies[random() % policies.size()];
    UnitMachine machine(restart);
    Instant now = begin;
    bool wanted = false;  // a start was requested, or it was found running, after the last stop request
    std::string trace;
    for (int step = 0; step < 60; ++step) {
      UnitEvent event = on(kinds[random() % kinds.size()], static_cast<int>(random() % 2));
      event.retry = random() % 2 == 0;
      event.health = std::array<const char*, 4>{"", "starting", "healthy", "unhealthy"}[random() % 4];
      now += std::chrono::milliseconds(random() % 5000);
      const State before = machine.state();
      const int restarts_before = machine.restarts();
      machine.handle(event, now);
      trace += fmt::format(" {}->{}", static_cast<int>(event.kind), to_string(machine.state()));
      if (event.kind == Kind::stop_requested) wanted = false;
      if (event.kind == Kind::start_requested) wanted = true;
      if (event.kind == Kind::restart_requested && before == State::completed) wanted = true;
      if (event.kind == Kind::adopted && before != State::stopping) wanted = true;
      const State state = machine.state();

      if (!wanted) {
        EXPECT_TRUE(state == State::pending || state == State::stopping || state == State::stopped ||
                    (state == State::completed && before != State::stopping))
            << trace;
      }
      if (state == State::running && before != State::running) {
        EXPECT_TRUE(event.kind == Kind::started || event.kind == Kind::adopted || event.kind == Kind::health_passed ||
                    (event.kind == Kind::resumed && before == State::paused))
            << trace;
      }
      if (machine.up()) {
        EXPECT_TRUE(machine.ever_started()) << trace;
      }
      if (state == State::backoff && before != State::backoff) {
        EXPECT_GE(machine.backoff_until(), now);
        EXPECT_LE(machine.backoff_until() - now, 60s);
        if (event.kind == Kind::exited || event.kind == Kind::started) {
          EXPECT_TRUE(should_restart(restart, machine.exit_code(), machine.restarts())) << trace;
        }
      }
      if (restart.kind == PolicyKind::no) {
        EXPECT_EQ(machine.restarts(), 0) << trace;
      }
      if (restart.max_retries > 0) {
        EXPECT_LE(machine.restarts(), restart.max_retries) << trace;
      }
      if (machine.restarts() > restarts_before) {
        EXPECT_EQ(event.kind, Kind::backoff_elapsed) << trace;
      }
      if (state == State::stopping) {
        EXPECT_EQ(machine.work(), Work::halt) << trace;
      }
      if (state == State::completed) {
        EXPECT_TRUE(before == State::completed || machine.exit_code() == 0) << trace;
      }
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(UnitMachine, HeldItHearsOfNoCheckAndGoesOnAsItWas) {
  UnitMachine machine{stack::RestartPolicy{}};
  const Instant now{};
  const auto tell = [&](UnitEvent::Kind kind, const std::string& health = {}) {
    UnitEvent event;
    event.kind = kind;
    event.health = health;
    machine.handle(event, now);
    return machine.state();
  };
  tell(UnitEvent::Kind::start_requested);
  tell(UnitEvent::Kind::dependencies_ready);
  EXPECT_EQ(tell(UnitEvent::Kind::started, "starting"), UnitState::starting);
  EXPECT_EQ(tell(UnitEvent::Kind::paused), UnitState::paused);
  EXPECT_TRUE(machine.up());
  EXPECT_EQ(tell(UnitEvent::Kind::paused), UnitState::paused);
  EXPECT_EQ(tell(UnitEvent::Kind::health_failed), UnitState::paused);
  EXPECT_EQ(machine.work(), Work::none);
  EXPECT_EQ(tell(UnitEvent::Kind::resumed), UnitState::starting);
  EXPECT_EQ(tell(UnitEvent::Kind::health_passed), UnitState::running);
  EXPECT_EQ(tell(UnitEvent::Kind::paused), UnitState::paused);
  EXPECT_EQ(tell(UnitEvent::Kind::stop_requested), UnitState::stopping);
  EXPECT_EQ(tell(UnitEvent::Kind::stopped), UnitState::stopped);
}

TEST(UnitMachine, WhatIsCreatedRestsUntilItIsStarted) {
  UnitMachine machine{stack::RestartPolicy{}};
  UnitEvent event;
  event.kind = UnitEvent::Kind::created;
  event.detail = "created, not started";
  machine.handle(event, Instant{});
  EXPECT_EQ(machine.state(), UnitState::stopped);
  EXPECT_EQ(machine.detail(), "created, not started");
  event.kind = UnitEvent::Kind::create_failed;
  event.detail = "no such image";
  machine.handle(event, Instant{});
  EXPECT_EQ(machine.state(), UnitState::failed);
  EXPECT_EQ(machine.detail(), "no such image");
  event.kind = UnitEvent::Kind::start_requested;
  machine.handle(event, Instant{});
  EXPECT_EQ(machine.work(), Work::await_dependencies);
}

}  // namespace
}  // namespace devstack::supervisor
