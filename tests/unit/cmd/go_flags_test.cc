#include "cmd/devstack/go_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devstack {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

const std::set<std::string> kKnown{"recurse", "flags", "prefix"};

TEST(GoFlags, KnownLongFlagsMayHaveOneDash) {
  EXPECT_THAT(with_two_dashes({"get", "-recurse", "--flags=3", "-flags=3", "-f", "-other", "app"}, kKnown),
              ElementsAre("get", "--recurse", "--flags=3", "--flags=3", "-f", "-other", "app"));
}

TEST(GoFlags, NegativeNumbersAndWhatFollowsTwoDashesAreData) {
  EXPECT_THAT(with_two_dashes({"put", "a", "-5"}, kKnown), ElementsAre("put", "a", "--", "-5"));
  EXPECT_THAT(with_two_dashes({"put", "a", "--", "-recurse"}, kKnown), ElementsAre("put", "a", "--", "-recurse"));
  EXPECT_THAT(with_two_dashes({"put", "a", "--", "-5"}, kKnown), ElementsAre("put", "a", "--", "-5"));
  EXPECT_THAT(with_two_dashes({"put", "a", "-"}, kKnown), ElementsAre("put", "a", "-"));
}

TEST(GoFlags, FlagsOfSubcommandsAreFound) {
  CLI::App app;
  bool flag = false;
  app.add_subcommand("get")->add_flag("-r,--recurse", flag);
  EXPECT_THAT(long_flags(app), UnorderedElementsAre("help", "recurse"));
  EXPECT_THAT(long_flags_here(app), UnorderedElementsAre("help"));
}

}  // namespace
}  // namespace devstack
