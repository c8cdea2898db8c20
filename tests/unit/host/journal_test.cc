#include "core/host/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.h"

namespace devstack::host {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string every_byte() {
  std::string out;
  for (int byte = 0; byte < 256; ++byte) out += static_cast<char>(byte);
  return out;
}

Entry entry(const std::string& path, FileState before, FileState after) {
  return {path, std::move(before), std::move(after)};
}
FileState file(const std::string& bytes) { return regular_file(bytes, 0644, 0, 0); }

TEST(HostJournal, KeepsEveryByteModeOwnerAndTime) {
  FileState odd{FileState::Kind::file, every_byte(), 04750, 12, 4294967294U, 1700000000123456789};
  const FileState link{FileState::Kind::symlink, "../run/\xff", 0, 1, 2, 0};
  const FileState folder{FileState::Kind::directory, "", 01777, 3, 4, 0};
  const auto history = replay(encode(entry("/a", {}, odd)) + encode(entry("/b\xc3\xa9", link, folder)));
  ASSERT_TRUE(history);
  ASSERT_THAT(history->entries, SizeIs(2));
  EXPECT_FALSE(history->entries[0].before.exists());
  EXPECT_TRUE(same(history->entries[0].after, odd));
  EXPECT_EQ(history->entries[0].after.mtime_ns, odd.mtime_ns);
  EXPECT_TRUE(same(history->entries[1].before, link));
  EXPECT_TRUE(same(history->entries[1].after, folder));
  EXPECT_EQ(history->entries[1].path, "/b\xc3\xa9");
}

TEST(HostJournal, RemembersTheLastSettingsAndWhatIsNotToldOrUndone) {
  HostSettings first, last;
  first.address = "10.0.0.1";
  last.address = "fd00::1";
  last.port = 8600;
  last.domains = {"consul", "test"};
  last.search = "service.consul";
  last.docker = false;
  const auto history = replay(encode(first) + encode(entry("/a", {}, file("1"))) + encode(Told{}) + encode(last) +
                              encode(entry("/b", {}, file("2"))) + encode(Undone{"/a"}));
  ASSERT_TRUE(history);
  EXPECT_EQ(history->settings, last);
  EXPECT_THAT(history->addresses, ElementsAre("10.0.0.1", "fd00::1"));
  EXPECT_THAT(history->untold, ElementsAre("/b"));
  ASSERT_THAT(history->entries, SizeIs(1));
}

TEST(HostJournal, ATornLastLineNeverHappened) {
  const std::string whole = encode(entry("/a", {}, file("1")));
  const std::string next = encode(entry("/b", {}, file("2")));
  for (std::size_t cut = 0; cut < next.size(); ++cut) {
    const auto history = replay(whole + next.substr(0, cut));
    ASSERT_TRUE(history) << cut;
    EXPECT_THAT(history->entries, SizeIs(1));
    EXPECT_EQ(history->bytes, whole.size());
  }
  EXPECT_FALSE(replay("junk\n" + whole)) << "damage before the end is not a torn line";
}

TEST(HostJournal, IsMendedAndGoneWhenNothingIsLeftToUndo) {
  test::TempDir dir;
  const std::string place = dir.file("host");
  {
    auto journal = Journal::open(place, Journal::Access::hold);
    ASSERT_TRUE(journal);
    ASSERT_TRUE(journal->append(entry("/a", {}, file("1"))));
    const auto second = Journal::open(place, Journal::Access::hold);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::conflict);
  }
  std::ofstream(place + "/journal", std::ios::app) << "{\"undone\":\"/";
  auto journal = Journal::open(place, Journal::Access::hold);
  ASSERT_TRUE(journal);
  ASSERT_THAT(journal->history().entries, SizeIs(1));
  ASSERT_TRUE(journal->append(Undone{"/a"}));
  EXPECT_THAT(journal->history().entries, IsEmpty());
  ASSERT_TRUE(journal->close_if_empty());
  EXPECT_FALSE(std::filesystem::exists(place));
}

TEST(HostJournal, ALinkInItsPlaceIsNotFollowed) {
  test::TempDir dir;
  const std::string precious = dir.write("precious", "not a journal");
  std::filesystem::create_directories(dir.file("host"));
  for (const auto& target : {precious, dir.file("not/there")}) {
    std::filesystem::create_symlink(target, dir.file("host/journal"));
    EXPECT_FALSE(Journal::open(dir.file("host"), Journal::Access::hold));
    EXPECT_FALSE(Journal::open(dir.file("host"), Journal::Access::read));
    std::filesystem::remove(dir.file("host/journal"));
  }
  EXPECT_EQ(test::read_file(precious), "not a journal");
}

FileState walked(const std::vector<Entry>& entries, FileState now, bool force = false) {
  const auto all = restorations(
      entries, [&](const std::string& /*path*/) { return now; }, force);
  return all.at(0).back;
}

TEST(HostJournal, AChainOfChangesLeadsBackToTheFirst) {
  const std::vector<Entry> chain{entry("/a", file("0"), file("1")), entry("/a", file("1"), file("2")),
                                 entry("/a", file("2"), {})};
  // As it is after each of them, and where a crash came before the change.
  for (const auto& now : {FileState{}, file("2"), file("1"), file("0")}) {
    EXPECT_EQ(walked(chain, now).bytes, "0") << now.bytes;
  }
}

TEST(HostJournal, WhatSomebodyElseWroteStaysUnlessForced) {
  const std::vector<Entry> chain{entry("/a", file("0"), file("1")), entry("/a", file("theirs"), file("theirs+2"))};
  EXPECT_EQ(walked(chain, file("theirs+2")).bytes, "theirs");
  EXPECT_EQ(walked(chain, file("new")).bytes, "new");
  EXPECT_EQ(walked(chain, file("new"), true).bytes, "0");
  const auto mode = regular_file("1", 0600, 0, 0);
  EXPECT_TRUE(restorations(
                  {chain[0]}, [&](const std::string& /*path*/) { return mode; }, false)[0]
                  .foreign);
}

TEST(HostJournal, FilesComeBackBeforeTheirFolders) {
  const FileState folder{FileState::Kind::directory, "", 0755, 0, 0, 0};
  const std::vector<Entry> entries{entry("/d", {}, folder), entry("/d/f", {}, file("1")),
                                   entry("/d/f", file("1"), file("2"))};
  const auto all = restorations(
      entries, [](const std::string& /*path*/) { return FileState{}; }, false);
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].path, "/d/f");
  EXPECT_EQ(all[1].path, "/d");
}

}  // namespace
}  // namespace devstack::host
