#include "core/base/duration.h"

#include <gtest/gtest.h>

namespace devstack {
namespace {

using namespace std::chrono_literals;

TEST(Duration, ReadsGoForms) {
  EXPECT_EQ(*parse_duration("10s"), 10s);
  EXPECT_EQ(*parse_duration("1m30s"), 90s);
  EXPECT_EQ(*parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(*parse_duration("0.001s"), 1ms);
  EXPECT_EQ(*parse_duration("-2h"), -2h);
  EXPECT_EQ(*parse_duration("0"), 0s);
}

TEST(Duration, RefusesWithGosWords) {
  EXPECT_EQ(parse_duration("10").error().message, "time: missing unit in duration \"10\"");
  EXPECT_EQ(parse_duration("").error().message, "time: invalid duration \"\"");
  EXPECT_EQ(parse_duration("5x").error().message, "time: unknown unit \"x\" in duration \"5x\"");
  EXPECT_EQ(parse_duration("s").error().message, "time: invalid duration \"s\"");
}

TEST(Duration, PrintsAsGoDoes) {
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(1500ms), "1.5s");
  EXPECT_EQ(format_duration(90s), "1m30s");
  EXPECT_EQ(format_duration(1h), "1h0m0s");
  EXPECT_EQ(format_duration(250ms), "250ms");
  EXPECT_EQ(format_duration(15s), "15s");
}

TEST(Duration, GoesToTheEndsOfItsRange) {
  EXPECT_FALSE(parse_duration("9223372036854775808ns"));
  EXPECT_FALSE(parse_duration("-9223372036854775808ns"));
  EXPECT_EQ(format_duration(std::chrono::nanoseconds::min()), "-2562047h47m16.854775808s");
  EXPECT_EQ(format_duration(std::chrono::nanoseconds::max()), "2562047h47m16.854775807s");
}

}  // namespace
}  // namespace devstack
