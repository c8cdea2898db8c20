#include "core/supervisor/develop_files.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>

#include "core/docker/tar.h"
#include "tests/support/temp_dir.h"

namespace devstack::supervisor {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class DevelopFiles : public ::testing::Test {
 protected:
  [[nodiscard]] stack::ServiceSpec service(const std::string& path, stack::Texts ignore = {}) const {
    stack::ServiceSpec out;
    out.name = "web";
    out.build.emplace().context = dir_.path();
    auto& rule = out.watch.emplace_back();
    rule.action = "sync";
    rule.path = dir_.file(path);
    rule.target = "/app";
    rule.ignore = std::move(ignore);
    return out;
  }
  static DevelopRule rule(const stack::ServiceSpec& service) {
    const auto read = read_develop_rules(service);
    EXPECT_TRUE(read) << read.error().message;
    return read->rules.front();
  }
  static std::vector<std::string> targets(const std::vector<SyncedPath>& paths) {
    std::vector<std::string> out;
    for (const auto& path : paths) out.push_back(path.to);
    return out;
  }
  test::TempDir dir_;
};

TEST_F(DevelopFiles, InitialSyncCopiesWhatConcernsTheRule) {
  for (const char* name : {"src/a", "src/deep/b", "src/out/c", "src/secret", "src/Dockerfile", "src/.git/index",
                           "src/mounted/d", "other/e"}) {
    dir_.write(name, "1");
  }
  dir_.write(".dockerignore", "src/secret\n");
  auto spec = service("src", {"out"});
  stack::Mount mount;
  mount.source = dir_.file("src/mounted");
  mount.target = "/app/mounted";
  spec.volumes.push_back(mount);
  EXPECT_THAT(targets(initial_sync(rule(spec), spec)), UnorderedElementsAre("/app/a", "/app/deep/b"));
}

TEST_F(DevelopFiles, InitialSyncOfAFileIsThatFile) {
  dir_.write("conf", "1");
  const auto spec = service("conf");
  EXPECT_THAT(targets(initial_sync(rule(spec), spec)), ElementsAre("/app"));
  fs::remove(dir_.file("conf"));
  EXPECT_TRUE(initial_sync(rule(spec), spec).empty());
}

TEST_F(DevelopFiles, TheDockerfilesOwnIgnoreFileGoesFirst) {
  dir_.write("src/a", "1");
  dir_.write("src/b", "1");
  dir_.write(".dockerignore", "src/a\n");
  dir_.write("dev.Dockerfile.dockerignore", "src/b\n");
  auto spec = service("src");
  spec.build->dockerfile = "dev.Dockerfile";
  EXPECT_THAT(targets(initial_sync(rule(spec), spec)), ElementsAre("/app/a"));
}

TEST_F(DevelopFiles, WhatIsThereIsPackedAndWhatIsNotIsGone) {
  dir_.write("a", "text");
  ASSERT_EQ(::chmod(dir_.file("a").c_str(), 0751), 0);
  fs::create_directory(dir_.file("folder"));
  fs::create_symlink("nowhere", dir_.file("link"));
  const auto work = sync_work({{dir_.file("a"), "/app/a"},
                               {dir_.file("folder"), "/app/folder"},
                               {dir_.file("link"), "/app/link"},
                               {dir_.file("no/x"), "/app/no/x"},
                               {dir_.file("no"), "/app/no"},
                               {dir_.file("nobody"), "/app/nobody"}});
  ASSERT_TRUE(work);
  EXPECT_THAT(work->gone, ElementsAre("/app/no", "/app/nobody")) << "nothing below another";
  const auto entries = docker::read_tar(work->tar);
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 3U);
  EXPECT_EQ(entries->at(0).path + " " + entries->at(0).content, "app/a text");
  EXPECT_EQ(entries->at(0).mode, 0751U);
  EXPECT_EQ(entries->at(0).uid, ::getuid());
  EXPECT_EQ(entries->at(1).path, "app/folder/");
  EXPECT_EQ(entries->at(2).link_target, "nowhere");
}

TEST_F(DevelopFiles, NothingToCopyIsNoTar) {
  const auto work = sync_work({{dir_.file("no"), "/app/no"}});
  ASSERT_TRUE(work);
  EXPECT_EQ(work->tar, "");
}

TEST_F(DevelopFiles, AContainersRootIsNeverDeleted) {
  const auto work = sync_work({{dir_.file("no"), "/"}});
  ASSERT_TRUE(work);
  EXPECT_TRUE(work->gone.empty());
}

TEST_F(DevelopFiles, TooMuchAtOnceIsAnError) {
  dir_.write("a", std::string(5000, 'x'));
  const auto work = sync_work({{dir_.file("a"), "/app/a"}}, 4096);
  ASSERT_FALSE(work);
  EXPECT_EQ(work.error().code, Errc::too_large);
  EXPECT_THAT(work.error().message, HasSubstr("`ignore`"));
}

}  // namespace
}  // namespace devstack::supervisor
