#include "core/supervisor/path_watch.h"

#include <gmock/gmock.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/base/async/task_group.h"
#include "tests/support/fake_clock.h"
#include "tests/support/run.h"
#include "tests/support/temp_dir.h"

// The kernel tells; the hands of the clock are turned by the tests.
namespace devstack::supervisor {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

class PathWatchTest : public ::testing::Test {
 protected:
  void open(std::vector<std::string> paths, PathWatchOptions options = {}) {
    auto opened = PathWatch::open(io_.get_executor(), std::move(paths), clock_, std::move(options));
    ASSERT_TRUE(opened) << opened.error().message;
    watch_ = std::move(*opened);
  }
  asio::awaitable<void> take(std::optional<PathChanges>& into) { into = co_await watch_->next(); }
  void begin() {
    changes_.reset();
    tasks_.spawn("next", take(changes_));
    turn();
  }
  /// Runs what is ready, and waits until the quiet span is waited for.
  void until_heard() {
    for (int i = 0; i < 500 && clock_.sleepers() == 0; ++i) io_.run_one_for(10ms);
    ASSERT_EQ(clock_.sleepers(), 1U);
  }
  void turn() {
    io_.restart();
    io_.poll();
  }
  /// What changes while `act` runs, relative to the folder.
  std::set<std::string> changed_by(const std::function<void()>& act) {
    begin();
    act();
    io_.restart();
    until_heard();
    clock_.advance(100ms);
    turn();
    EXPECT_TRUE(changes_.has_value());
    if (!changes_) return {};
    std::set<std::string> out;
    for (const auto& path : changes_->paths) out.insert(fs::path(path).lexically_relative(dir_.path()).string());
    return out;
  }
  ~PathWatchTest() override { test::run(io_, tasks_.stop()); }

  test::TempDir dir_;
  asio::io_context io_;
  test::FakeClock clock_;
  std::unique_ptr<PathWatch> watch_;
  TaskGroup tasks_{io_.get_executor()};
  std::optional<PathChanges> changes_;
};

using Paths = std::set<std::string>;

TEST_F(PathWatchTest, TellsEveryPathThatChangedBelow) {
  dir_.write("src/a", "1");
  dir_.write("src/deep/b", "1");
  dir_.write("other/c", "1");
  open({dir_.file("src")});
  EXPECT_EQ(changed_by([&] {
              dir_.write("src/a", "2");
              dir_.write("src/deep/b", "2");
              dir_.write("other/c", "2");
            }),
            (Paths{"src/a", "src/deep/b"}));
  EXPECT_EQ(changed_by([&] { fs::remove(dir_.file("src/a")); }), Paths{"src/a"});
}

TEST_F(PathWatchTest, TellsWhatIsInAFolderThatCame) {
  dir_.write("src/a", "1");
  dir_.write("made/deep/b", "1");
  open({dir_.file("src")});
  EXPECT_EQ(changed_by([&] { fs::rename(dir_.file("made"), dir_.file("src/made")); }),
            (Paths{"src/made", "src/made/deep", "src/made/deep/b"}));
  EXPECT_EQ(changed_by([&] { dir_.write("src/made/deep/b", "2"); }), Paths{"src/made/deep/b"});
}

TEST_F(PathWatchTest, FollowsAFolderThatIsRenamedByItsNewName) {
  dir_.write("src/old/a", "1");
  open({dir_.file("src")});
  EXPECT_EQ(changed_by([&] { fs::rename(dir_.file("src/old"), dir_.file("src/new")); }),
            (Paths{"src/old", "src/new", "src/new/a"}));
  EXPECT_EQ(changed_by([&] { dir_.write("src/new/a", "2"); }), Paths{"src/new/a"});
  EXPECT_EQ(changed_by([&] {
              fs::rename(dir_.file("src/new"), dir_.file("away"));
              dir_.write("away/a", "3");
            }),
            Paths{"src/new"});
}

TEST_F(PathWatchTest, TellsOfAFileThatAnEditorReplaces) {
  dir_.write("conf", "1");
  dir_.write("beside", "1");
  open({dir_.file("conf")});
  EXPECT_EQ(changed_by([&] {
              dir_.write("beside", "2");
              fs::rename(dir_.file("beside"), dir_.file("conf"));
            }),
            Paths{"conf"});
  EXPECT_EQ(changed_by([&] { dir_.write("conf", "3"); }), Paths{"conf"});
}

TEST_F(PathWatchTest, WaitsUntilNothingChangesAnyMore) {
  dir_.write("src/a", "1");
  PathWatchOptions options;
  options.quiet = 500ms;
  open({dir_.file("src")}, options);
  begin();
  dir_.write("src/a", "2");
  until_heard();
  clock_.advance(499ms);
  turn();
  EXPECT_FALSE(changes_) << "not quiet for long enough";
  dir_.write("src/b", "1");
  clock_.advance(1ms);
  turn();
  EXPECT_FALSE(changes_) << "another change began the span anew";
  until_heard();
  clock_.advance(500ms);
  turn();
  ASSERT_TRUE(changes_);
  EXPECT_EQ(changes_->paths, (Paths{dir_.file("src/a"), dir_.file("src/b")})) << "as one batch";
}

TEST_F(PathWatchTest, TellsOfWhatNeverStopsChanging) {
  dir_.write("src/log", "1");
  open({dir_.file("src")});
  begin();
  int spans = 0;
  for (dir_.write("src/log", "2"); !changes_ && spans < 100; ++spans) {
    io_.restart();
    until_heard();
    dir_.write("src/log", std::to_string(spans));
    clock_.advance(100ms);
    turn();
  }
  EXPECT_EQ(spans, 20);
}

TEST_F(PathWatchTest, WhatDoesNotCountIsNeitherToldNorLookedInto) {
  dir_.write("src/out/a", "1");
  dir_.write("src/b", "1");
  PathWatchOptions options;
  options.counts = [](const std::string& path) { return path.ends_with(".c"); };
  options.looks_into = [](const std::string& path) { return !path.ends_with("/out"); };
  open({dir_.file("src")}, options);
  EXPECT_EQ(changed_by([&] {
              dir_.write("src/out/x.c", "1");
              dir_.write("src/b", "2");
              dir_.write("src/new/deep/y.c", "2");
            }),
            Paths{"src/new/deep/y.c"});
}

TEST_F(PathWatchTest, MoreThanTheKernelKeepsIsEverything) {
  const int most = std::stoi(test::read_file("/proc/sys/fs/inotify/max_queued_events"));
  dir_.write("src/a", "1");
  open({dir_.file("src")});
  changed_by([&] {
    // Two events each: that it went, and that it came.
    for (int i = 0; i <= most / 2; ++i) {
      fs::rename(dir_.file(i % 2 == 0 ? "src/a" : "src/b"), dir_.file(i % 2 == 0 ? "src/b" : "src/a"));
    }
    dir_.write("src/late/c", "1");
  });
  ASSERT_TRUE(changes_);
  EXPECT_TRUE(changes_->everything);
  EXPECT_EQ(changed_by([&] { dir_.write("src/late/c", "2"); }), Paths{"src/late/c"}) << "of which nothing was heard";
}

/// What open() answers where the kernel grants `most` watches, on standard error: for a process of its own, whose user
/// namespace has that limit. Exit code 77 where such a namespace is not to be had.
[[noreturn]] void open_with_few_watches(const std::string& path, int most) {
  if (::unshare(CLONE_NEWUSER) != 0) std::_Exit(77);
  std::ofstream limit("/proc/sys/user/max_inotify_watches");
  limit << most << std::flush;
  if (!limit) std::_Exit(77);
  asio::io_context io;
  const auto opened = PathWatch::open(io.get_executor(), {path});
  std::fputs(opened ? "opened" : opened.error().message.c_str(), stderr);
  std::_Exit(opened ? 0 : 1);
}

TEST_F(PathWatchTest, TooFewWatchesAreOneErrorThatNamesTheSysctl) {
  for (const char* name : {"src/a/x", "src/b/x", "src/c/x"}) dir_.write(name, "1");
  const auto ended = [](int code) {
    return
        [code](int status) { return WIFEXITED(status) && (WEXITSTATUS(status) == code || WEXITSTATUS(status) == 77); };
  };
  EXPECT_EXIT(open_with_few_watches(dir_.file("src"), 3), ended(1), "^$|raise sysctl fs.inotify.max_user_watches$");
  EXPECT_EXIT(open_with_few_watches(dir_.file("src"), 5), ended(0), "^$|^opened$");
}

TEST_F(PathWatchTest, APathWhoseFolderIsNotThereIsAnError) {
  const auto opened = PathWatch::open(io_.get_executor(), {dir_.file("no/such")});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::not_found);
  EXPECT_THAT(opened.error().message, HasSubstr(dir_.file("no") + " is not there"));
}

}  // namespace
}  // namespace devstack::supervisor
