#include "core/health/schedule.h"

#include <gmock/gmock.h>

#include <random>

namespace devstack::health {
namespace {

using namespace std::chrono_literals;

const Instant start{1h};

std::vector<std::string> ids(const std::vector<Schedule::Run>& runs) {
  std::vector<std::string> out;
  for (const auto& run : runs) out.push_back(run.id);
  return out;
}

class ScheduleTest : public testing::Test {
 protected:
  /// What is due at `after` the start; each ends at once.
  std::vector<std::string> take(Instant::duration after, std::size_t limit = 1000) {
    const auto runs = schedule.take_due(start + after, limit);
    for (const auto& run : runs) schedule.finished(run);
    return ids(runs);
  }
  Schedule schedule;
};

TEST_F(ScheduleTest, FirstRunIsNeverAtOnceAndNeverLate) {
  std::mt19937 random(7);  // NOLINT: the same each time
  for (int i = 0; i < 1000; ++i) {
    schedule.set("a", 10s, start, std::uniform_real_distribution<>(0, 1)(random));
    EXPECT_GE(schedule.next(), start + 500ms);
    EXPECT_LE(schedule.next(), start + 1500ms);
  }
  schedule.set("a", 10s, start, 0);
  EXPECT_EQ(schedule.next(), start + 500ms);
  schedule.set("a", 10s, start, 0.5);
  EXPECT_EQ(schedule.next(), start + 1s);
}

TEST_F(ScheduleTest, FirstRunIsWithinAShortInterval) {
  schedule.set("a", 1s, start, 0.999999);
  EXPECT_LE(schedule.next(), start + 1s);
}

TEST_F(ScheduleTest, IntervalIsAtLeastASecond) {
  schedule.set("a", 1ms, start, 0);
  EXPECT_THAT(take(500ms), testing::ElementsAre("a"));
  EXPECT_EQ(schedule.next(), start + 1500ms);
}

TEST_F(ScheduleTest, KeepsItsPhase) {
  schedule.set("a", 10s, start, 0);
  EXPECT_THAT(take(700ms), testing::ElementsAre("a"));
  EXPECT_EQ(schedule.next(), start + 1500ms);
  EXPECT_THAT(take(1700ms), testing::ElementsAre("a"));
  EXPECT_EQ(schedule.next(), start + 11500ms) << "late by 200 ms, but the rhythm is that of the second deadline";
  EXPECT_THAT(take(45s), testing::ElementsAre("a")) << "missed deadlines are not made up for";
  EXPECT_EQ(schedule.next(), start + 51500ms);
}

TEST_F(ScheduleTest, TheSecondRunComesAnywhereInTheInterval) {
  // What began together is spread over all of the interval, and stays so.
  const std::vector<std::pair<double, Instant::duration>> expected{
      {0, 1500ms}, {0.25, 4000ms}, {0.5, 6500ms}, {0.75, 9000ms}};
  for (const auto& [chance, second] : expected) {
    schedule.set("a", 10s, start, chance);
    EXPECT_THAT(take(1500ms), testing::ElementsAre("a"));
    const auto next = chance == 0 ? second + 10s : second;  // its second deadline was then, too
    EXPECT_EQ(schedule.next(), start + next) << chance;
    EXPECT_THAT(take(next), testing::ElementsAre("a"));
    EXPECT_EQ(schedule.next(), start + next + 10s) << chance;
  }
}

TEST_F(ScheduleTest, AMissedSecondRunIsNotMadeUpForEither) {
  schedule.set("a", 10s, start, 0.5);
  EXPECT_THAT(take(7s), testing::ElementsAre("a"));
  EXPECT_EQ(schedule.next(), start + 16500ms);
}

TEST_F(ScheduleTest, IntervalIsAYearAtMost) {
  for (const double chance : {0.0, 0.5, 0.999999}) {
    schedule.set("a", Schedule::Span::max(), start, chance);
    EXPECT_THAT(take(1500ms), testing::ElementsAre("a"));
    EXPECT_GT(schedule.next(), start + 1500ms);
    EXPECT_LE(schedule.next(), start + 1500ms + longest_interval);
    EXPECT_THAT(take(3 * longest_interval), testing::ElementsAre("a"));
    EXPECT_GT(schedule.next(), start + 3 * longest_interval);
    EXPECT_LE(schedule.next(), start + 4 * longest_interval);
  }
}

TEST_F(ScheduleTest, OneThatStillRunsIsPassedOver) {
  schedule.set("a", 1s, start, 0);
  const auto first = schedule.take_due(start + 500ms, 10);
  ASSERT_THAT(ids(first), testing::ElementsAre("a"));
  EXPECT_THAT(take(1500ms), testing::IsEmpty());
  EXPECT_EQ(schedule.next(), start + 2500ms);
  schedule.finished(first[0]);
  EXPECT_THAT(take(2400ms), testing::IsEmpty()) << "not before its next deadline";
  EXPECT_THAT(take(2500ms), testing::ElementsAre("a"));
}

TEST_F(ScheduleTest, BeyondTheLimitWhatWaitsLongestGoesFirst) {
  schedule.set("late", 10s, start, 0.9);
  schedule.set("early", 10s, start, 0.1);
  schedule.set("middle", 10s, start, 0.5);
  EXPECT_THAT(take(2s, 2), testing::ElementsAre("early", "middle"));
  EXPECT_LE(schedule.next(), start + 2s) << "what was left out is still due";
  EXPECT_THAT(take(2s, 2), testing::ElementsAre("late"));
}

TEST_F(ScheduleTest, ANewDefinitionStartsAfreshWhateverStillRuns) {
  schedule.set("a", 60s, start, 0);
  const auto old = schedule.take_due(start + 500ms, 10);
  schedule.set("a", 5s, start + 600ms, 0);
  EXPECT_EQ(schedule.next(), start + 1100ms);
  const auto fresh = schedule.take_due(start + 1100ms, 10);
  EXPECT_THAT(ids(fresh), testing::ElementsAre("a"));
  schedule.finished(old[0]);
  EXPECT_THAT(take(6100ms), testing::IsEmpty()) << "the end of the old run is not that of the new one";
}

TEST_F(ScheduleTest, ARemovedOneIsNeverDue) {
  schedule.set("a", 1s, start, 0);
  schedule.set("b", 1s, start, 0);
  const auto running = schedule.take_due(start + 500ms, 1);
  schedule.erase("a");
  schedule.erase("a");
  schedule.finished(running[0]);
  EXPECT_EQ(schedule.size(), 1U);
  EXPECT_THAT(take(1h), testing::ElementsAre("b"));
  schedule.erase("b");
  EXPECT_EQ(schedule.next(), Instant::max());
}

}  // namespace
}  // namespace devstack::health
