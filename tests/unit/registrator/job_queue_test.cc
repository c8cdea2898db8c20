#include "core/registrator/job_queue.h"

#include <gtest/gtest.h>

namespace devstack::registrator {
namespace {

using Kind = Job::Kind;

TEST(JobQueue, JobsOfOneContainerKeepOrderAndDoNotOverlap) {
  JobQueue queue;
  queue.push_event({Kind::started, "a"});
  queue.push_event({Kind::removed, "a"});
  const auto first = queue.take();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->kind, Kind::started);
  EXPECT_FALSE(queue.take());
  queue.done(*first);
  const auto second = queue.take();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->kind, Kind::removed);
}

TEST(JobQueue, OtherContainersRunMeanwhile) {
  JobQueue queue;
  queue.push_event({Kind::started, "a"});
  queue.push_event({Kind::removed, "a"});
  queue.push_event({Kind::started, "b"});
  EXPECT_EQ(queue.take()->container, "a");
  EXPECT_EQ(queue.take()->container, "b");
}

TEST(JobQueue, EventsGoBeforeReconciliation) {
  JobQueue queue;
  queue.push_background({Kind::refresh, "a"});
  queue.push_event({Kind::started, "b"});
  EXPECT_EQ(queue.take()->container, "b");
  EXPECT_EQ(queue.take()->container, "a");
}

TEST(JobQueue, SweepWaitsForTheRefreshesBeforeIt) {
  JobQueue queue;
  queue.push_background({Kind::refresh, "a"});
  queue.push_background({Kind::refresh, "b"});
  queue.push_background({Kind::sweep, {}});
  queue.push_background({Kind::refresh, "c"});
  const auto a = queue.take(), b = queue.take();
  EXPECT_FALSE(queue.take());
  queue.done(*a);
  EXPECT_FALSE(queue.take());
  queue.done(*b);
  EXPECT_EQ(queue.take()->kind, Kind::sweep);
  EXPECT_EQ(queue.take()->container, "c");
}

TEST(JobQueue, WaitingBackgroundJobIsNotQueuedTwice) {
  JobQueue queue;
  queue.push_background({Kind::list, {}});
  queue.push_background({Kind::list, {}});
  const auto only = queue.take();
  ASSERT_TRUE(only);
  queue.done(*only);
  EXPECT_TRUE(queue.idle());
}

TEST(JobQueue, TooManyEventsBecomeOneList) {
  JobQueue queue(2);
  queue.push_event({Kind::started, "a"});
  queue.push_event({Kind::started, "b"});
  queue.push_event({Kind::started, "c"});
  const auto job = queue.take();
  ASSERT_TRUE(job);
  EXPECT_EQ(job->kind, Kind::list);
  EXPECT_FALSE(queue.take());
}

}  // namespace
}  // namespace devstack::registrator
