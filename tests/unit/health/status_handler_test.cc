#include "core/health/status_handler.h"

#include <gtest/gtest.h>

#include <string>

namespace devstack::health {
namespace {

/// What a check shows after each result: the first letter of its status, '-' at the beginning.
std::string shown(StatusHandler handler, const std::string& results) {
  std::string out;
  char now = '-';
  for (const char result : results) {
    const auto* status = result == 'p' ? "passing" : result == 'w' ? "warning" : "critical";
    if (handler.record(status)) now = result;
    out.push_back(now);
  }
  return out;
}

TEST(StatusHandler, FollowsEveryResultWithoutThresholds) { EXPECT_EQ(shown({0, 0}, "pcwpcc"), "pcwpcc"); }

TEST(StatusHandler, TheFirstResultCountsWhateverTheThresholds) {
  EXPECT_EQ(shown({3, 3}, "p"), "p");
  EXPECT_EQ(shown({3, 3}, "c"), "c");
}

TEST(StatusHandler, BecomesCriticalAfterFailuresInARow) {
  EXPECT_EQ(shown({0, 3}, "pccc"), "pppc");
  EXPECT_EQ(shown({0, 3}, "pccpccc"), "ppppppc") << "a success in between starts the count again";
}

TEST(StatusHandler, BecomesPassingAfterSuccessesInARow) {
  EXPECT_EQ(shown({3, 0}, "cppp"), "cccp");
  EXPECT_EQ(shown({2, 0}, "cpcpp"), "ccccp");
}

TEST(StatusHandler, WarningIsASuccess) {
  EXPECT_EQ(shown({2, 2}, "cwp"), "ccp");
  EXPECT_EQ(shown({0, 2}, "pcwc"), "ppww");
}

TEST(StatusHandler, OnceReachedAThresholdStaysReached) { EXPECT_EQ(shown({2, 2}, "cppwpcc"), "ccpwppc"); }

}  // namespace
}  // namespace devstack::health
