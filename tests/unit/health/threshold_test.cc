#include "core/health/threshold.h"

#include <gtest/gtest.h>

#include "core/health/probe.h"

namespace devstack::health {
namespace {

using namespace std::chrono_literals;
constexpr Instant begin{std::chrono::hours(1)};

TEST(Threshold, IsHealthyAtTheFirstSuccess) {
  Threshold threshold({}, begin);
  EXPECT_EQ(threshold.health(), Health::starting);
  EXPECT_EQ(threshold.record(Outcome::failed, begin), Health::starting);
  EXPECT_EQ(threshold.record(Outcome::passed, begin), Health::healthy);
  EXPECT_EQ(threshold.failing_streak(), 0);
}

TEST(Threshold, IsUnhealthyAfterRetriesFailuresInARowOnly) {
  Threshold threshold({3, 0ns}, begin);
  threshold.record(Outcome::passed, begin);
  threshold.record(Outcome::failed, begin);
  threshold.record(Outcome::failed, begin);
  EXPECT_EQ(threshold.record(Outcome::passed, begin), Health::healthy);
  threshold.record(Outcome::failed, begin);
  EXPECT_EQ(threshold.record(Outcome::failed, begin), Health::healthy);
  EXPECT_EQ(threshold.record(Outcome::failed, begin), Health::unhealthy);
  EXPECT_EQ(threshold.record(Outcome::passed, begin), Health::healthy);
}

TEST(Threshold, StartPeriodExcusesFailuresUntilTheFirstSuccess) {
  Threshold threshold({1, 10s}, begin);
  EXPECT_EQ(threshold.record(Outcome::failed, begin + 9s), Health::starting);
  EXPECT_EQ(threshold.failing_streak(), 0);
  EXPECT_EQ(threshold.record(Outcome::failed, begin + 10s), Health::unhealthy);

  Threshold early({1, 10s}, begin);
  early.record(Outcome::passed, begin + 1s);
  EXPECT_EQ(early.record(Outcome::failed, begin + 2s), Health::unhealthy) << "the period ends with the first success";
}

TEST(Threshold, NoRetriesMeansOne) {
  Threshold threshold({0, 0ns}, begin);
  EXPECT_EQ(threshold.record(Outcome::failed, begin), Health::unhealthy);
}

TEST(CommandOf, TakesComposeForms) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(command_of({"CMD", "curl", "-f", "x"}), (Words{"curl", "-f", "x"}));
  EXPECT_EQ(command_of({"CMD-SHELL", "a || b"}), (Words{"/bin/sh", "-c", "a || b"}));
  EXPECT_EQ(command_of({"NONE"}), Words{});
  EXPECT_EQ(command_of({}), Words{});
}

}  // namespace
}  // namespace devstack::health
