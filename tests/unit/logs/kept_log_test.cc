#include "core/logs/kept_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/logs/container_lines.h"
#include "core/logs/reader.h"
#include "core/logs/spool.h"
#include "tests/support/temp_dir.h"

namespace devstack::logs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

KeptLog::Entry entry(std::int64_t time, std::string text, std::string from = "file", std::int64_t at = 0) {
  return {Record{time, {}, Stream::out, std::move(text)}, Origin{std::move(from), at}};
}

std::vector<std::string> texts(const std::vector<KeptLog::Entry>& entries) {
  std::vector<std::string> out;
  for (const auto& one : entries) out.push_back(one.record.text);
  return out;
}

std::vector<std::string> read_all(const std::string& dir, const std::string& unit, Choice choice = {}) {
  LogReader reader(choice);
  reader.add_unit(dir, unit);
  std::vector<std::string> out;
  for (auto records = reader.read(); !records.empty(); records = reader.read()) {
    for (const auto& record : records) out.push_back(record.text);
  }
  return out;
}

TEST(KeptLog, RemembersHowFarEachPlaceWasReadOverARestart) {
  const test::TempDir dir;
  {
    KeptLog log(dir.path(), "web", {});
    EXPECT_EQ(log.position("c1"), std::nullopt);
    ASSERT_TRUE(log.append({entry(1, "a", "c1", 5), entry(2, "b", "c1", 6), entry(3, "c", "c1", 6)}));
    ASSERT_TRUE(log.append({entry(4, "d", "c2", 1)}));
  }
  KeptLog log(dir.path(), "web", {});
  ASSERT_TRUE(log.position("c1"));
  EXPECT_EQ(log.position("c1")->at, 6);
  EXPECT_EQ(log.position("c1")->lines, 2U);
  EXPECT_EQ(log.position("c2")->at, 1);
  EXPECT_EQ(log.position("c3"), std::nullopt);
  EXPECT_THAT(kept_units(dir.path()), ElementsAre("web"));
}

TEST(KeptLog, ATornLineIsCutOffAndItsPlaceForgotten) {
  const test::TempDir dir;
  ASSERT_TRUE(KeptLog(dir.path(), "web", {}).append({entry(1, "whole", "file", 5)}));
  std::ofstream(dir.file("web.jsonl"), std::ios::app) << R"({"time":"2026-01-02T03:04:05.000000000Z","stream":"std)";
  KeptLog log(dir.path(), "web", {});
  EXPECT_EQ(log.position("file")->at, 5);
  ASSERT_TRUE(log.append({entry(2, "next", "file", 9)}));
  EXPECT_THAT(read_all(dir.path(), "web"), ElementsAre("whole", "next"));
}

TEST(KeptLog, RotatesAndKeepsThreeFiles) {
  const test::TempDir dir;
  KeptLog::Limits limits;
  limits.file_bytes = 250;  // two lines
  KeptLog log(dir.path(), "web", limits);
  for (int i = 1; i <= 9; ++i) ASSERT_TRUE(log.append({entry(i, "line " + std::to_string(i), "file", i)}));
  EXPECT_THAT(read_all(dir.path(), "web"), ElementsAre("line 5", "line 6", "line 7", "line 8", "line 9"));
  EXPECT_FALSE(std::filesystem::exists(dir.file("web.jsonl.3")));
  EXPECT_THAT(read_all(dir.path(), "web", {.tail = 3}), ElementsAre("line 7", "line 8", "line 9"));
  // What is known of a place may stand in a file that was rotated away.
  std::filesystem::remove(dir.file("web.jsonl"));
  EXPECT_EQ(KeptLog(dir.path(), "web", limits).position("file")->at, 8);
}

TEST(LogReader, MergesByTimeWithinSinceAndUntil) {
  const test::TempDir dir;
  ASSERT_TRUE(KeptLog(dir.path(), "a", {}).append({entry(1, "a1"), entry(4, "a4"), entry(6, "a6")}));
  ASSERT_TRUE(KeptLog(dir.path(), "b", {}).append({entry(2, "b2"), entry(4, "b4"), entry(9, "b9")}));
  const auto read = [&](Choice choice) {
    LogReader reader(choice);
    reader.add_unit(dir.path(), "a");
    reader.add_unit(dir.path(), "b");
    reader.add_unit(dir.path(), "a");
    std::string out;
    for (const auto& record : reader.read()) out += record.unit + ":" + record.text + " ";
    return out;
  };
  EXPECT_EQ(read({}), "a:a1 b:b2 a:a4 b:b4 a:a6 b:b9 ");
  EXPECT_EQ(read({.since = 4}), "a:a4 b:b4 a:a6 b:b9 ");
  EXPECT_EQ(read({.until = 4}), "a:a1 b:b2 a:a4 b:b4 ");
  EXPECT_EQ(read({.tail = 1}), "a:a6 b:b9 ");
  EXPECT_EQ(read({.tail = 1, .until = 5}), "a:a4 b:b4 ");
  EXPECT_EQ(read({.tail = 2, .since = 5}), "a:a6 b:b9 ");
  EXPECT_EQ(read({.tail = 0}), "");
}

TEST(ContainerLines, TakesTimesOffAndLeavesOutWhatIsKept) {
  const std::string first = "2026-01-02T03:04:05.000000001Z one\n";
  const std::string second = "2026-01-02T03:04:05.000000001Z two\n2026-01-02T03:04:05.000000002Z three\r\n";
  ContainerLines fresh("c", {});
  auto entries = fresh.add(Stream::out, first + second.substr(0, 40));
  auto more = fresh.add(Stream::out, second.substr(40));
  entries.insert(entries.end(), more.begin(), more.end());
  EXPECT_THAT(texts(entries), ElementsAre("one", "two", "three"));
  EXPECT_EQ(entries[2].origin.at, entries[2].record.time);
  EXPECT_EQ(format_time(entries[0].record.time), "2026-01-02T03:04:05.000000001Z");

  ContainerLines again("c", {KeptLog::Position{entries[0].origin.at, 1}, std::nullopt});
  EXPECT_THAT(texts(again.add(Stream::out, first + second)), ElementsAre("two", "three"));
  ContainerLines all("c", {KeptLog::Position{entries[2].origin.at, 1}, std::nullopt});
  EXPECT_THAT(texts(all.add(Stream::out, first + second)), IsEmpty());
}

TEST(ContainerLines, StreamsDoNotMixAndTheRestComesAtTheEnd) {
  ContainerLines lines("c", {});
  EXPECT_THAT(lines.add(Stream::out, "2026-01-02T03:04:05.000000001Z out"), IsEmpty());
  const auto err = lines.add(Stream::err, "2026-01-02T03:04:05.000000002Z err\n");
  ASSERT_EQ(err.size(), 1U);
  EXPECT_EQ(err[0].record.stream, Stream::err);
  EXPECT_THAT(texts(lines.take_rest()), ElementsAre("out"));
}

TEST(ContainerLines, AnEndWithoutANewlineDoesNotSwallowTheNextStart) {
  const std::string unfinished = "2026-01-02T03:04:05.000000001Z unfinished";
  ContainerLines lines("c", {});
  EXPECT_THAT(lines.add(Stream::out, unfinished), IsEmpty());
  EXPECT_THAT(texts(lines.add(Stream::out, "2026-01-02T03:04:06.000000001Z next\n")),
              ElementsAre("unfinished", "next"));
}

TEST(ContainerLines, AStreamThatIsBehindTheOtherLosesNothing) {
  const ContainerLines::Positions behind{KeptLog::Position{1'000'000'000'000, 1},
                                         KeptLog::Position{1'000'000'000'005, 1}};
  EXPECT_EQ(ContainerLines::since(behind), 1'000'000'000'000);
  ContainerLines lines("c", behind);
  const auto stamp = [](std::int64_t at) { return format_time(at) + " "; };
  EXPECT_THAT(texts(lines.add(Stream::err, stamp(1'000'000'000'005) + "kept\n")), IsEmpty());
  EXPECT_THAT(texts(lines.add(Stream::out, stamp(1'000'000'000'003) + "late\n")), ElementsAre("late"));
  EXPECT_EQ(ContainerLines::since({std::nullopt, std::nullopt}), 0);
}

TEST(ContainerLines, JoinsTheEnginesPiecesOfALongLine) {
  const std::string stamp = "2026-01-02T03:04:05.000000001Z ";
  const std::string piece(16U << 10U, 'x');
  ContainerLines lines("c", {});
  const auto entries = lines.add(Stream::out, stamp + piece + stamp + piece + stamp + "end\n");
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].record.text, piece + piece + "end");
}

TEST(Spool, GoesOnWhereTheKeptLogStopped) {
  const test::TempDir dir;
  const auto path = dir.write("worker.log", "one\ntwo\nthr");
  Spool spool(path, 0);
  const auto entries = spool.read(Spool::Rest::wait);
  EXPECT_THAT(texts(entries), ElementsAre("one", "two"));
  EXPECT_EQ(entries.back().origin.at, 8);
  EXPECT_THAT(spool.read(Spool::Rest::wait), IsEmpty());
  std::ofstream(path, std::ios::app) << "ee\nfour";
  EXPECT_THAT(texts(spool.read(Spool::Rest::wait)), ElementsAre("three"));
  EXPECT_THAT(texts(spool.read(Spool::Rest::take)), ElementsAre("four"));
  EXPECT_THAT(texts(Spool(path, 8).read(Spool::Rest::take)), ElementsAre("three"));
  spool.back_to(4);
  EXPECT_THAT(texts(spool.read(Spool::Rest::wait)), ElementsAre("two", "three"));
}

TEST(Spool, WhatWasReadIsGivenBackToTheDiskWhileTheWriterGoesOn) {
  const test::TempDir dir;
  std::string text;
  while (text.size() < (3U << 20U)) text += "a line that fills a log file, again and again and again\n";
  const auto path = dir.write("worker.log", text);
  Spool spool(path, 0);
  std::int64_t at = 0;
  for (auto entries = spool.read(Spool::Rest::wait); !entries.empty(); entries = spool.read(Spool::Rest::wait)) {
    at = entries.back().origin.at;
    spool.give_back(at);
  }
  EXPECT_EQ(at, static_cast<std::int64_t>(text.size()));
  EXPECT_EQ(std::filesystem::file_size(path), text.size());
  std::ofstream(path, std::ios::app) << "and on\n";
  EXPECT_THAT(texts(spool.read(Spool::Rest::wait)), ElementsAre("and on"));
}

}  // namespace
}  // namespace devstack::logs
