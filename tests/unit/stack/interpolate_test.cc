#include "core/stack/interpolate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/stack/load.h"

namespace devstack::stack {
namespace {

using testing::ElementsAre;
using testing::Pair;

struct Case {
  std::string_view text, result;
};

Result<std::string> expand(std::string_view text) {
  static const Environment values{{"V", "value"}, {"EMPTY", ""}, {"N", "V"}, {"_a1", "under"}};
  return interpolate(text, {.value = [](const std::string& name) -> std::optional<std::string> {
                              const auto at = values.find(name);
                              return at == values.end() ? std::nullopt : std::optional(at->second);
                            },
                            .unset = [](const std::string&) {},
                            .keep = {}});
}

class Interpolation : public testing::TestWithParam<Case> {};
TEST_P(Interpolation, Expands) { EXPECT_EQ(expand(GetParam().text).value_or("ERROR"), GetParam().result); }
INSTANTIATE_TEST_SUITE_P(
    All, Interpolation,
    testing::Values(Case{"plain", "plain"}, Case{"$V", "value"}, Case{"${V}", "value"}, Case{"a$V-b", "avalue-b"},
                    Case{"a${V}b", "avalueb"}, Case{"$_a1.", "under."}, Case{"$$V", "$V"}, Case{"$$$V", "$value"},
                    Case{"$NONE.", "."}, Case{"${NONE}.", "."}, Case{"${V:-d}", "value"}, Case{"${EMPTY:-d}", "d"},
                    Case{"${NONE:-d}", "d"}, Case{"${EMPTY-d}", ""}, Case{"${NONE-d}", "d"}, Case{"${NONE:-}", ""},
                    Case{"${V:?e}", "value"}, Case{"${EMPTY?e}", ""}, Case{"${V:+r}", "r"}, Case{"${EMPTY:+r}", ""},
                    Case{"${EMPTY+r}", "r"}, Case{"${NONE+r}", ""}, Case{"${NONE:-${V}}", "value"},
                    Case{"${NONE:-${NONE2:-deep}}x", "deepx"}, Case{"${NONE:-$V}", "value"}, Case{"${V:+${N}!}", "V!"},
                    Case{"${NONE:-a:b-c?d}", "a:b-c?d"}, Case{"${NONE:-{\"a\":1}}", "{\"a\":1}"},
                    Case{"${NONE:-$$x}", "$x"}, Case{"$(cat x)", "$(cat x)"}, Case{"${V/a/b}", "ERROR"},
                    Case{"${V", "ERROR"}, Case{"${}", "ERROR"}, Case{"$1", "ERROR"}, Case{"end$", "ERROR"},
                    Case{"${NONE:?}", "ERROR"}, Case{"${EMPTY:?e}", "ERROR"}, Case{"${1A}", "ERROR"}));

TEST(InterpolationErrors, CarryTheAuthorsText) {
  EXPECT_EQ(expand("${NONE?set ${V} first}").error().message, "variable NONE is missing: set value first");
  EXPECT_EQ(expand("${EMPTY:?}").error().message, "variable EMPTY is missing or empty");
}

TEST(Interpolation, IsForValuesOnly) {
  const auto file = test::read("services:\n  web:\n    image: x\n    labels:\n      $V: $V\n", {{"V", "v"}});
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_THAT(file->services.at("web").labels, ElementsAre(Pair("$V", "v")));
}

TEST(Interpolation, WarnsOfAnUnsetVariableOnceWithItsPosition) {
  const auto file = test::read("services:\n  web:\n    image: x:$TAG\n    user: $TAG\n");
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_THAT(file->warnings,
              ElementsAre("stack.yaml:3:12: services.web.image: variable TAG is not set; using an empty string"));
}

TEST(Interpolation, NestingIsBounded) {
  std::string text = "x";
  for (int i = 0; i < 100; ++i) text = "${NONE:-" + text + "}";
  EXPECT_FALSE(expand(text));
}

TEST(Dotenv, ReadsComposesGrammar) {
  const auto values = read_dotenv(
      "# comment\n\nA=1\nexport B = two words # note\nC='literal $A # x'\nD=\"esc\\n\\\"q\\\" $A \\$A\"\n"
      "E=\nF\nG=a#b\nH=${A}${OUTER}\r\nI=\"over\nlines\"\nJ=$B\n",
      ".env", {{"OUTER", "o"}});
  ASSERT_TRUE(values) << values.error().to_string();
  EXPECT_THAT(*values, ElementsAre(Pair("A", "1"), Pair("B", "two words"), Pair("C", "literal $A # x"),
                                   Pair("D", "esc\n\"q\" 1 $A"), Pair("E", ""), Pair("G", "a#b"), Pair("H", "1o"),
                                   Pair("I", "over\nlines"), Pair("J", "two words")));
}

TEST(Dotenv, NamesTheWrongLine) {
  EXPECT_EQ(read_dotenv("A=1\nB=\"x\n", ".env", {}).error().to_string(), ".env:2:3: a double quote is not closed");
  EXPECT_EQ(read_dotenv("a b=1\n", ".env", {}).error().to_string(), ".env:1:1: `a b` is no variable name");
}

}  // namespace
}  // namespace devstack::stack
