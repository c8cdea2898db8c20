// Each wrong file with the exact words that its author reads.
#include <gtest/gtest.h>

#include "tests/unit/stack/load.h"

namespace devstack::stack {
namespace {

struct Broken {
  std::string_view name, text, error;
};
void PrintTo(const Broken& broken, std::ostream* out) { *out << broken.name; }

constexpr Broken kBroken[] = {
#include "tests/unit/stack/broken_cases.inc"
};

class BrokenFile : public testing::TestWithParam<Broken> {};
TEST_P(BrokenFile, SaysWhatIsWrongAndWhere) { EXPECT_EQ(test::errors(GetParam().text), GetParam().error); }
INSTANTIATE_TEST_SUITE_P(All, BrokenFile, testing::ValuesIn(kBroken),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(BrokenFiles, AreStackFileErrorsWithThePositionOfTheFirst) {
  const auto file = test::read("services:\n  web:\n    prots: []\n    image: x\n    scale: many\n");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, Errc::stack_file);
  EXPECT_EQ(file.error().at, (SourcePos{"stack.yaml", 3, 5}));
}

TEST(BrokenFiles, AliasesCannotExplode) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    text += fmt::format("a{}: &a{} [", i, i);
    for (int j = 0; j < 10; ++j) text += fmt::format("{}*a{}", j == 0 ? "" : ", ", i - 1);
    text += "]\n";
  }
  EXPECT_NE(test::errors(text).find("more than 100000 values"), std::string::npos);
}

TEST(BrokenFiles, NestingIsBounded) {
  EXPECT_NE(test::errors("a: " + std::string(100, '[') + std::string(100, ']')).find("nested deeper than 64 levels"),
            std::string::npos);
}

TEST(BrokenFiles, SizeIsBounded) {
  EXPECT_EQ(test::errors(std::string(2U << 20U, '#')), "stack.yaml:1:1: the file is larger than 1 MiB");
}

}  // namespace
}  // namespace devstack::stack
