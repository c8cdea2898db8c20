// Files into and out of a container that need not run, as tars.
#include <gmock/gmock.h>
#include <pwd.h>

#include <algorithm>

#include "tests/integration/docker/engine.h"

namespace devstack::docker {
namespace {

using testing::HasSubstr;

class ArchiveTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    ContainerSpec spec;
    spec.name = name_of("archive");
    spec.command = {"sleep", "1000"};
    id_ = create(std::move(spec));
  }
  void put(const std::vector<TarEntry>& entries, const std::string& folder = "/", bool to_its_user = false) {
    const auto done = run(client_.put_archive(id_, folder, tar_of(entries), to_its_user));
    ASSERT_TRUE(done) << done.error().message;
  }
  /// What a get of `path` brings, by its name in the tar.
  std::map<std::string, TarEntry> got(const std::string& path) {
    std::map<std::string, TarEntry> out;
    const auto tar = run(client_.get_archive(id_, path));
    const auto entries = tar ? read_tar(*tar) : tl::unexpected(tar.error());
    EXPECT_TRUE(entries) << entries.error().message;
    for (const auto& entry : entries.value_or(std::vector<TarEntry>{})) out[entry.path] = entry;
    return out;
  }
  static std::vector<std::string> names(const std::map<std::string, TarEntry>& entries) {
    std::vector<std::string> out;
    for (const auto& [name, entry] : entries) out.push_back(name);
    return out;
  }
  std::string id_;
};

TEST_F(ArchiveTest, AFileGoesInAndComesOutWithItsModeAndTime) {
  TarEntry file{"note", "words\n", 0640};
  file.modified = 1'700'000'000;
  put({file});
  const auto out = got("/note");
  ASSERT_EQ(names(out), std::vector<std::string>{"note"});
  EXPECT_EQ(out.at("note").content, "words\n");
  EXPECT_EQ(out.at("note").mode & 07777U, 0640U);
  EXPECT_EQ(out.at("note").modified, 1'700'000'000);
  const auto stat = run(client_.stat_path(id_, "/note"));
  ASSERT_TRUE(stat) << stat.error().message;
  EXPECT_EQ(stat->name, "note");
  EXPECT_EQ(stat->size, 6);
  EXPECT_FALSE(stat->folder);
  EXPECT_EQ(stat->link_target, "");
}

TEST_F(ArchiveTest, AFolderGoesWithAllThatIsInIt) {
  put({{"tree/", "", 0755}, {"tree/a", "1", 0644}, {"tree/sub/", "", 0700}, {"tree/sub/b", "2", 0644}});
  const auto out = got("/tree");
  EXPECT_EQ(names(out), (std::vector<std::string>{"tree/", "tree/a", "tree/sub/", "tree/sub/b"}));
  EXPECT_EQ(out.at("tree/sub/b").content, "2");
  EXPECT_EQ(out.at("tree/sub/").mode & 07777U, 0700U);
  EXPECT_EQ(names(got("/tree/sub")), (std::vector<std::string>{"sub/", "sub/b"})) << "named after what was asked for";
  EXPECT_TRUE(run(client_.stat_path(id_, "/tree"))->folder);
  put({{"c", "3", 0644}}, "/tree/sub");
  EXPECT_EQ(got("/tree/sub/c").at("c").content, "3");
}

TEST_F(ArchiveTest, ASymbolicLinkIsItselfAndSaysWhereItLeads) {
  TarEntry link{"etc/link", "", 0777};
  link.link_target = "../real";
  put({{"etc/", "", 0755}, {"real", "content", 0644}, link});
  const auto out = got("/etc/link");
  EXPECT_EQ(out.at("link").link_target, "../real");
  EXPECT_EQ(out.at("link").content, "");
  const auto stat = run(client_.stat_path(id_, "/etc/link"));
  ASSERT_TRUE(stat) << stat.error().message;
  EXPECT_EQ(stat->link_target, "/real") << "as a path in the container";
  EXPECT_EQ(got(stat->link_target).at("real").content, "content");
}

TEST_F(ArchiveTest, OwnersAreTheTarsOrTheUserThatTheContainerRunsAs) {
  TarEntry mine{"mine", "x", 0644};
  mine.uid = 1234;
  mine.gid = 2345;
  put({mine});
  EXPECT_EQ(got("/mine").at("mine").uid, 1234U);
  EXPECT_EQ(got("/mine").at("mine").gid, 2345U);
  put({mine}, "/", true);
  EXPECT_EQ(got("/mine").at("mine").uid, 1234U) << "it says none";
  ContainerSpec spec;
  spec.command = {"sleep", "1000"};
  spec.user = "daemon";  // as the engine's machine knows it
  id_ = create(std::move(spec));
  put({mine}, "/", true);
  const auto* daemon = ::getpwnam("daemon");
  ASSERT_NE(daemon, nullptr);
  EXPECT_EQ(got("/mine").at("mine").uid, daemon->pw_uid);
}

TEST_F(ArchiveTest, WhatIsNotThereOrTooLargeIsSaid) {
  EXPECT_EQ(run(client_.stat_path(id_, "/nosuch")).error().code, Errc::not_found);
  const auto missing = run(client_.get_archive(id_, "/nosuch"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_THAT(missing.error().message, HasSubstr("nosuch"));
  EXPECT_EQ(run(client_.put_archive(id_, "/nosuch", tar_of({{"a", "1", 0644}}))).error().code, Errc::not_found);
  put({{"big", std::string(100'000, 'x'), 0644}});
  const auto large = run(client_.get_archive(id_, "/big", 10'000));
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, Errc::too_large);
  EXPECT_EQ(run(client_.get_archive("dsit-http-no-such", "/")).error().code, Errc::not_found);
}

}  // namespace
}  // namespace devstack::docker
