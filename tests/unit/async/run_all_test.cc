#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "core/base/async/task_group.h"

namespace devstack {
namespace {

asio::awaitable<void> wait_for(Signal& signal, int& ended) {
  struct End {
    int& count;
    ~End() { ++count; }
  } end{ended};
  const auto seen = signal.version();
  co_await signal.wait_past(seen, std::chrono::steady_clock::time_point::max());
}

asio::awaitable<void> both(Signal& one, Signal& other, int& ended, bool& returned) {
  std::vector<asio::awaitable<void>> work;
  work.push_back(wait_for(one, ended));
  work.push_back(wait_for(other, ended));
  const auto executor = co_await asio::this_coro::executor;
  co_await run_all(executor, "both", std::move(work));
  returned = true;
}

TEST(RunAll, ReturnsWhenTheLastHasEnded) {
  asio::io_context io;
  Signal one(io.get_executor()), other(io.get_executor());
  int ended = 0;
  bool returned = false;
  spawn(io.get_executor(), "caller", both(one, other, ended, returned));
  io.poll();
  one.bump();
  io.restart();
  io.poll();
  EXPECT_EQ(ended, 1);
  EXPECT_FALSE(returned);
  other.bump();
  io.restart();
  io.poll();
  EXPECT_TRUE(returned);
}

TEST(RunAll, CancelledItEndsTheOthersFirst) {
  asio::io_context io;
  Signal one(io.get_executor()), other(io.get_executor());
  int ended = 0;
  bool returned = false;
  TaskGroup caller(io.get_executor());
  caller.spawn("caller", both(one, other, ended, returned));
  io.poll();
  caller.cancel();
  io.restart();
  io.poll();
  EXPECT_EQ(ended, 2);
  EXPECT_EQ(caller.running(), 0U);
  EXPECT_FALSE(returned) << "what comes after is not for a cancelled one";
}

}  // namespace
}  // namespace devstack
