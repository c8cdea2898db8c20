#include "core/control/log_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.h"

namespace devstack::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void append(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::app) << text; }

std::vector<std::string> all_lines(LogFile& file) {
  std::vector<std::string> out;
  for (auto lines = file.read_lines(); !lines.empty(); lines = file.read_lines()) {
    out.insert(out.end(), lines.begin(), lines.end());
  }
  return out;
}

TEST(LogFile, TailStartsAtTheLastLines) {
  const test::TempDir dir;
  const auto path = dir.write("x.log", "one\ntwo\nthree\nfour\n");
  const auto tail = [&](int lines) {
    LogFile file(path);
    file.seek_tail(lines);
    return all_lines(file);
  };
  EXPECT_THAT(tail(-1), ElementsAre("one", "two", "three", "four"));
  EXPECT_THAT(tail(0), IsEmpty());
  EXPECT_THAT(tail(1), ElementsAre("four"));
  EXPECT_THAT(tail(3), ElementsAre("two", "three", "four"));
  EXPECT_THAT(tail(9), ElementsAre("one", "two", "three", "four"));
}

TEST(LogFile, TailReachesBackOverManyBlocks) {
  const test::TempDir dir;
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "line " + std::to_string(i) + " of a rather long log file\n";
  LogFile file(dir.write("x.log", text));
  file.seek_tail(10000);
  const auto lines = all_lines(file);
  ASSERT_EQ(lines.size(), 10000U);
  EXPECT_EQ(lines.front(), "line 10000 of a rather long log file");
  EXPECT_EQ(lines.back(), "line 19999 of a rather long log file");
}

TEST(LogFile, TailCountsOnlyLinesOfTheFilter) {
  const test::TempDir dir;
  LogFile file(dir.write("x.log", "[dns] a\n[ui] b\n[dns] c\n[ui] d\n[dns] e\n[ui] f\n"), "[dns]");
  file.seek_tail(2);
  EXPECT_THAT(all_lines(file), ElementsAre("[dns] c", "[dns] e"));
}

TEST(LogFile, AppendedLinesComeWhenTheyAreComplete) {
  const test::TempDir dir;
  const auto path = dir.write("x.log", "one\n");
  LogFile file(path);
  EXPECT_THAT(all_lines(file), ElementsAre("one"));
  append(path, "tw");
  EXPECT_THAT(all_lines(file), IsEmpty());
  append(path, "o\r\nthree");
  EXPECT_THAT(all_lines(file), ElementsAre("two"));
  EXPECT_EQ(file.take_partial(), "three");
}

TEST(LogFile, ReplacedFileIsReadFromItsBeginning) {
  const test::TempDir dir;
  const auto path = dir.write("x.log", "one\ntwo\n");
  LogFile file(path);
  EXPECT_THAT(all_lines(file), ElementsAre("one", "two"));
  std::filesystem::rename(path, path + ".1");
  dir.write("x.log", "three\n");
  EXPECT_THAT(all_lines(file), ElementsAre("three"));
}

TEST(LogFile, CutFileIsReadFromItsBeginning) {
  const test::TempDir dir;
  const auto path = dir.write("x.log", "one\ntwo\n");
  LogFile file(path);
  EXPECT_THAT(all_lines(file), ElementsAre("one", "two"));
  dir.write("x.log", "3\n");
  EXPECT_THAT(all_lines(file), ElementsAre("3"));
}

TEST(LogFile, FileMayComeLater) {
  const test::TempDir dir;
  LogFile file(dir.file("x.log"));
  file.seek_tail(5);
  EXPECT_THAT(all_lines(file), IsEmpty());
  dir.write("x.log", "one\n");
  EXPECT_THAT(all_lines(file), ElementsAre("one"));
}

TEST(LineSplitter, CutsAnEndlessLine) {
  LineSplitter splitter;
  const auto lines = splitter.add(std::string(LineSplitter::kLongestLine + 10, 'x') + "\nshort\n");
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].size(), LineSplitter::kLongestLine);
  EXPECT_EQ(lines[1], std::string(10, 'x'));
  EXPECT_EQ(lines[2], "short");
}

}  // namespace
}  // namespace devstack::control
