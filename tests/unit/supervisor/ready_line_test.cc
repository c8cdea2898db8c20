#include "core/supervisor/ready_line.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temp_dir.h"

namespace devstack::supervisor {
namespace {

ReadyLine line(const std::string& expression) {
  auto made = ReadyLine::make(expression);
  if (!made) throw std::runtime_error(made.error().message);
  return std::move(*made);
}

TEST(ReadyLine, MatchesAnywhereInALineThatIsComplete) {
  auto ready = line("(?i)listening on port \\d+$");
  EXPECT_FALSE(ready.add("starting\nnow Listening on port 80"));
  EXPECT_FALSE(ready.add("80")) << "it may go on";
  EXPECT_TRUE(ready.add("\r\nmore"));
}

TEST(ReadyLine, IsNotFooledByAMatchAcrossLines) {
  auto ready = line("a.*b");
  EXPECT_FALSE(ready.add("a\nb\n"));
  EXPECT_TRUE(ready.add("a-b\n"));
}

TEST(ReadyLine, AVeryLongLineIsBoundedAndForgotten) {
  auto ready = line("^ready$");
  EXPECT_FALSE(ready.add(std::string(1 << 20, 'x')));
  EXPECT_FALSE(ready.add("\n"));
  EXPECT_TRUE(ready.add("ready\n"));
}

TEST(ReadyLine, SaysWhatIsWrongWithAnExpression) {
  const auto made = ReadyLine::make("(ready");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message, "ready_log_line \"(ready\": missing ): (ready");
}

TEST(ReadyLine, ReadsWhatIsNewInAFileAndBeginsAgainWhenItWasCut) {
  test::TempDir dir;
  const auto file = dir.write("log", "ready\n");
  auto ready = line("ready");
  std::uint64_t offset = 6;
  EXPECT_FALSE(ready.read(file, offset)) << "of an earlier run";
  std::ofstream(file, std::ios::app) << "not yet\n";
  EXPECT_FALSE(ready.read(file, offset));
  EXPECT_EQ(offset, 14U);
  dir.write("log", "ready\n");
  EXPECT_TRUE(ready.read(file, offset));
  EXPECT_FALSE(ready.read(dir.file("none"), offset));
}

}  // namespace
}  // namespace devstack::supervisor
