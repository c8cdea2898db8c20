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

TEST(GoFlags, TheCommandThatIsRunKeepsItsFlags) {
  CLI::App app;
  auto* exec = app.add_subcommand("exec");
  bool flag = false;
  std::string text;
  exec->add_flag("-T", flag);
  exec->add_option("-u,--user", text);
  const auto apart = [&](std::vector<std::string> words) { return with_command_apart(std::move(words), 0, *exec); };
  EXPECT_THAT(apart({"exec", "-T", "web", "ls", "-l"}), ElementsAre("exec", "-T", "web", "--", "ls", "-l"));
  EXPECT_THAT(apart({"exec", "-Tu", "me", "web", "ls"}), ElementsAre("exec", "-Tu", "me", "web", "--", "ls"));
  EXPECT_THAT(apart({"exec", "--user", "me", "web", "-x"}), ElementsAre("exec", "--user", "me", "web", "--", "-x"));
  EXPECT_THAT(apart({"exec", "--user=me", "web", "x"}), ElementsAre("exec", "--user=me", "web", "--", "x"));
  EXPECT_THAT(apart({"exec", "web"}), ElementsAre("exec", "web"));
  EXPECT_THAT(apart({"exec", "web", "--", "x"}), ElementsAre("exec", "web", "--", "x"));
}

}  // namespace
}  // namespace devstack
