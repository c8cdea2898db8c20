#include "core/logs/lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.h"

namespace devstack::logs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void append(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::app) << text; }

std::vector<std::string> all_lines(RotatedLines& file) {
  std::vector<std::string> out;
  for (auto lines = file.read(); !lines.empty(); lines = file.read()) {
    out.insert(out.end(), lines.begin(), lines.end());
  }
  return out;
}

bool any(std::string_view /*line*/) { return true; }

TEST(LineSplitter, CutsAnEndlessLineAndCountsBytes) {
  LineSplitter splitter;
  const auto lines = splitter.add(std::string(LineSplitter::kLongestLine + 10, 'x') + "\nshort\r\nrest");
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].text.size(), LineSplitter::kLongestLine);
  EXPECT_EQ(lines[0].bytes, LineSplitter::kLongestLine);
  EXPECT_EQ(lines[1].text, std::string(10, 'x'));
  EXPECT_EQ(lines[1].bytes, 11U);
  EXPECT_EQ(lines[2].text, "short");
  EXPECT_EQ(lines[2].bytes, 7U);
  EXPECT_EQ(splitter.take_rest(), "rest");
}

TEST(LinesBackward, GivesCompleteLinesFromTheLastWithTheirPlaces) {
  const test::TempDir dir;
  LinesBackward lines(dir.write("x", "one\n\nthree\nunfinished"));
  EXPECT_EQ(lines.next(), "three");
  EXPECT_EQ(lines.place(), 5);
  EXPECT_EQ(lines.next(), "");
  EXPECT_EQ(lines.next(), "one");
  EXPECT_EQ(lines.place(), 0);
  EXPECT_EQ(lines.next(), std::nullopt);
  EXPECT_EQ(LinesBackward(dir.file("none")).next(), std::nullopt);
  EXPECT_EQ(LinesBackward(dir.write("y", "no newline")).next(), std::nullopt);
}

TEST(LinesBackward, ReachesBackOverManyBlocks) {
  const test::TempDir dir;
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "line " + std::to_string(i) + " of a rather long log file\n";
  LinesBackward lines(dir.write("x", text));
  for (int i = 19999; i >= 0; --i) {
    ASSERT_EQ(lines.next(), "line " + std::to_string(i) + " of a rather long log file");
  }
  EXPECT_EQ(lines.next(), std::nullopt);
}

TEST(RotatedLines, ReadFromTheOldestFileToTheNewest) {
  const test::TempDir dir;
  const auto second = dir.write("x.1", "one\ntwo\n");
  const auto first = dir.write("x", "three\n");
  RotatedLines lines({first, second, dir.file("x.2")});
  EXPECT_THAT(all_lines(lines), ElementsAre("one", "two", "three"));
  append(first, "fo");
  EXPECT_THAT(all_lines(lines), IsEmpty());
  append(first, "ur\n");
  EXPECT_THAT(all_lines(lines), ElementsAre("four"));
}

TEST(RotatedLines, TailReachesIntoRotatedFiles) {
  const test::TempDir dir;
  const auto second = dir.write("x.1", "one\ntwo\n");
  const auto first = dir.write("x", "three\nfour\n");
  const auto tail = [&](int count) {
    RotatedLines lines({first, second});
    lines.seek_tail(count, any);
    return all_lines(lines);
  };
  EXPECT_THAT(tail(-1), ElementsAre("one", "two", "three", "four"));
  EXPECT_THAT(tail(0), IsEmpty());
  EXPECT_THAT(tail(1), ElementsAre("four"));
  EXPECT_THAT(tail(2), ElementsAre("three", "four"));
  EXPECT_THAT(tail(3), ElementsAre("two", "three", "four"));
  EXPECT_THAT(tail(9), ElementsAre("one", "two", "three", "four"));
}

TEST(RotatedLines, TailCountsOnlyLinesThatCount) {
  const test::TempDir dir;
  const auto path = dir.write("x", "a 1\nb 2\na 3\nb 4\nb 5\n");
  RotatedLines lines({path});
  lines.seek_tail(1, [](std::string_view line) { return line.starts_with('a'); });
  EXPECT_THAT(all_lines(lines), ElementsAre("a 3", "b 4", "b 5"));
}

TEST(RotatedLines, GoOnOverRotations) {
  const test::TempDir dir;
  const auto path = dir.write("x", "one\n");
  RotatedLines lines({path, path + ".1", path + ".2"});
  EXPECT_THAT(all_lines(lines), ElementsAre("one"));
  append(path, "two\n");
  std::filesystem::rename(path, path + ".1");
  dir.write("x", "three\n");
  std::filesystem::rename(path + ".1", path + ".2");
  std::filesystem::rename(path, path + ".1");
  dir.write("x", "four\n");
  EXPECT_THAT(all_lines(lines), ElementsAre("two", "three", "four"));
}

TEST(RotatedLines, CutFileIsReadFromItsBeginningAndAMissingOneMayCome) {
  const test::TempDir dir;
  const auto path = dir.file("x");
  RotatedLines lines({path});
  EXPECT_THAT(all_lines(lines), IsEmpty());
  dir.write("x", "one\ntwo\n");
  EXPECT_THAT(all_lines(lines), ElementsAre("one", "two"));
  std::ofstream(path, std::ios::trunc) << "3\n";
  EXPECT_THAT(all_lines(lines), ElementsAre("3"));
}

}  // namespace
}  // namespace devstack::logs
