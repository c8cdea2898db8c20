// What bounds a probe, whatever its definition says.
#include <gtest/gtest.h>

#include "core/health/check_probe.h"
#include "core/health/dial.h"

namespace devstack::health {
namespace {

using namespace std::chrono_literals;
using Time = std::chrono::steady_clock;

const Time::time_point start{1h};

TEST(Limits, ATimeoutIsADayAtMost) {
  registry::CheckDefinition definition;
  EXPECT_EQ(time_limit(definition, 10s), 10s);
  definition.timeout = 300ms;
  EXPECT_EQ(time_limit(definition, 10s), 300ms);
  definition.timeout = std::chrono::nanoseconds::max();
  EXPECT_EQ(time_limit(definition, 10s), 24h);
}

TEST(Limits, AnOutputIsNeverLargerThanTheAgentAllows) {
  registry::CheckDefinition definition;
  EXPECT_EQ(output_limit(definition), 4096U);
  definition.output_max_bytes = 100;
  EXPECT_EQ(output_limit(definition), 100U);
  definition.output_max_bytes = std::size_t{1} << 40U;
  EXPECT_EQ(output_limit(definition), 4096U);
}

TEST(Limits, EachAddressGetsAnEqualShareOfTheTimeThatIsLeft) {
  EXPECT_EQ(share_until(start, start + 9s, 3), start + 3s);
  EXPECT_EQ(share_until(start + 3s, start + 9s, 2), start + 6s);
  EXPECT_EQ(share_until(start + 6s, start + 9s, 1), start + 9s);
}

TEST(Limits, AShareIsTwoSecondsWhereThereIsThatMuch) {
  EXPECT_EQ(share_until(start, start + 5s, 10), start + 2s);
  EXPECT_EQ(share_until(start, start + 1s, 2), start + 1s);
  EXPECT_EQ(share_until(start + 1s, start, 2), start) << "a deadline that passed stays where it is";
}

}  // namespace
}  // namespace devstack::health
