#include <gmock/gmock.h>
#include <sys/stat.h>

#include "core/process/child.h"
#include "tests/support/temp_dir.h"

namespace devstack::process {
namespace {

using testing::ElementsAre;

TEST(ParseSignal, TakesNamesWithAndWithoutPrefixAndNumbers) {
  EXPECT_EQ(*parse_signal("SIGHUP"), 1);
  EXPECT_EQ(*parse_signal("HUP"), 1);
  EXPECT_EQ(*parse_signal("sigterm"), 15);
  EXPECT_EQ(*parse_signal("9"), 9);
}

TEST(ParseSignal, RefusesWhatIsNoSignal) {
  for (const char* text : {"", "SIG", "0", "-1", "999", "NOPE", "9x"}) {
    const auto result = parse_signal(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, Errc::invalid_argument) << text;
  }
}

TEST(SplitWords, SplitsAsTheShellDoes) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases{
      {"", {}},
      {"   ", {}},
      {"a b\tc\n", {"a", "b", "c"}},
      {"echo 'a b' \"c d\"", {"echo", "a b", "c d"}},
      {"a'b'\"c\"d", {"abcd"}},
      {"'' \"\"", {"", ""}},
      {R"(a\ b)", {"a b"}},
      {R"("a\"b\\c\d")", {R"(a"b\c\d)"}},
      {R"('a\b')", {R"(a\b)"}},
      {"a # the rest", {"a"}},
      {"a#b", {"a#b"}},
      {"a \\\n b", {"a", "b"}},
  };
  for (const auto& [text, words] : cases) {
    const auto result = split_words(text);
    ASSERT_TRUE(result) << text;
    EXPECT_EQ(*result, words) << text;
  }
}

TEST(SplitWords, RefusesUnclosedQuotes) {
  for (const char* text : {"'a", "\"a", "a\\", "a 'b\" c"}) EXPECT_FALSE(split_words(text)) << text;
}

TEST(FindProgram, SearchesPathInOrderForExecutableFiles) {
  test::TempDir dir;
  const auto first = dir.write("one/tool", "#!/bin/sh\n");
  const auto second = dir.write("two/tool", "#!/bin/sh\n");
  ::chmod(second.c_str(), 0755);
  const std::string path = dir.file("none") + ":" + dir.file("one") + ":" + dir.file("two");
  EXPECT_EQ(find_program("tool", path), second) << "the first is not executable";
  ::chmod(first.c_str(), 0755);
  EXPECT_EQ(find_program("tool", path), first);
  EXPECT_EQ(find_program("other", path), std::nullopt);
  EXPECT_EQ(find_program(first, ""), first);
  EXPECT_EQ(find_program(dir.path(), ""), std::nullopt) << "a directory is not a program";
}

}  // namespace
}  // namespace devstack::process
