#include "core/base/async/signal.h"

#include <gtest/gtest.h>

#include "core/base/async/task_group.h"
#include "tests/support/run.h"

namespace devstack {
namespace {

using namespace std::chrono_literals;
constexpr auto kNever = std::chrono::steady_clock::time_point::max();

TEST(Signal, ChangeBeforeWaitingIsNotMissed) {
  asio::io_context io;
  Signal signal(io.get_executor());
  const auto seen = signal.version();
  signal.bump();
  EXPECT_TRUE(test::run(io, signal.wait_past(seen, kNever)));
}

TEST(Signal, WaiterWakesOnChange) {
  asio::io_context io;
  Signal signal(io.get_executor());
  asio::post(io, [&] { signal.bump(); });
  EXPECT_TRUE(test::run(io, signal.wait_past(0, kNever)));
}

TEST(Signal, DeadlineOfOneWaiterEndsOnlyThatWait) {
  asio::io_context io;
  Signal signal(io.get_executor());
  TaskGroup tasks(io.get_executor());
  bool other_returned = false;
  auto other = [](Signal& s, bool& returned) -> asio::awaitable<void> {
    co_await s.wait_past(0, kNever);
    returned = true;
  };
  tasks.spawn("other", other(signal, other_returned));
  EXPECT_FALSE(test::run(io, signal.wait_past(0, std::chrono::steady_clock::now() + 5ms)));
  EXPECT_FALSE(other_returned);
  signal.bump();
  test::run(io, tasks.join());
  EXPECT_TRUE(other_returned);
}

TEST(TaskGroup, StopEndsWaitingTasks) {
  asio::io_context io;
  Signal signal(io.get_executor());
  TaskGroup tasks(io.get_executor());
  auto forever = [](Signal& s) -> asio::awaitable<void> { co_await s.wait_past(0, kNever); };
  tasks.spawn("a", forever(signal));
  tasks.spawn("b", forever(signal));
  io.poll();
  EXPECT_EQ(tasks.running(), 2U);
  test::run(io, tasks.stop());
  EXPECT_EQ(tasks.running(), 0U);
}

}  // namespace
}  // namespace devstack
