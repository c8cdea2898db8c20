#include "core/supervisor/turns.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "core/base/async/task_group.h"
#include "tests/support/run.h"

namespace devstack::supervisor {
namespace {

struct Count {
  int now = 0, most = 0, done = 0;
};

asio::awaitable<void> work(Turns& turns, Signal& go_on, Count& count) {
  const auto turn = co_await turns.take();
  count.most = std::max(count.most, ++count.now);
  const auto seen = go_on.version();
  co_await go_on.wait_past(seen, std::chrono::steady_clock::time_point::max());
  --count.now;
  ++count.done;
}

TEST(Turns, SoManyAtATimeAndEveryoneInTheEnd) {
  asio::io_context io;
  Turns turns(io.get_executor(), 3);
  Signal go_on(io.get_executor());
  Count count;
  TaskGroup tasks(io.get_executor());
  for (int i = 0; i < 10; ++i) tasks.spawn("work", work(turns, go_on, count));
  io.poll();
  EXPECT_EQ(count.now, 3);
  while (count.done < 10) {
    go_on.bump();
    io.restart();
    io.poll();
  }
  EXPECT_EQ(count.most, 3);
}

TEST(Turns, ACancelledOneGivesItsTurnBack) {
  asio::io_context io;
  Turns turns(io.get_executor(), 1);
  Signal go_on(io.get_executor());
  Count count;
  TaskGroup first(io.get_executor()), second(io.get_executor());
  first.spawn("first", work(turns, go_on, count));
  second.spawn("second", work(turns, go_on, count));
  io.poll();
  EXPECT_EQ(count.now, 1);
  first.cancel();
  io.restart();
  io.poll();
  EXPECT_EQ(count.now, 1) << "the second has it";
  second.cancel();
  io.restart();
  io.poll();
}

}  // namespace
}  // namespace devstack::supervisor
