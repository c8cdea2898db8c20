#include "core/docker/build_context.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "core/docker/ignore.h"
#include "core/docker/tar.h"
#include "tests/support/temp_dir.h"

namespace devstack::docker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(IgnoreRules, FollowDockersOwnExamples) {
  const IgnoreRules rules("# comment\n*/temp*\n*/*/temp*\ntemp?\n");
  EXPECT_TRUE(rules.ignores("somedir/temporary.txt"));
  EXPECT_TRUE(rules.ignores("somedir/subdir/temporary.txt"));
  EXPECT_TRUE(rules.ignores("tempa"));
  EXPECT_TRUE(rules.ignores("tempa/below"));
  EXPECT_FALSE(rules.ignores("temp"));
  EXPECT_FALSE(rules.ignores("comment"));
}

TEST(IgnoreRules, TheLastLineThatMatchesCounts) {
  const IgnoreRules rules("*.md\n!README*.md\nREADME-secret.md\n");
  EXPECT_TRUE(rules.ignores("other.md"));
  EXPECT_FALSE(rules.ignores("README.md"));
  EXPECT_TRUE(rules.ignores("README-secret.md"));
  EXPECT_TRUE(rules.has_exceptions());
}

TEST(IgnoreRules, TwoStarsStandForAnyFolders) {
  const IgnoreRules rules("**/*.go\n/node_modules/\na/**/z\n[a-c].txt\n[^a-c].bin\n\\#x\n");
  EXPECT_TRUE(rules.ignores("x.go"));
  EXPECT_TRUE(rules.ignores("a/b/c/x.go"));
  EXPECT_TRUE(rules.ignores("node_modules/x/y"));
  EXPECT_FALSE(rules.ignores("a/node_modules"));
  EXPECT_TRUE(rules.ignores("a/z"));
  EXPECT_TRUE(rules.ignores("a/b/c/z"));
  EXPECT_TRUE(rules.ignores("b.txt"));
  EXPECT_FALSE(rules.ignores("d.txt"));
  EXPECT_TRUE(rules.ignores("d.bin"));
  EXPECT_FALSE(rules.ignores("a.bin"));
  EXPECT_TRUE(rules.ignores("#x"));
}

std::vector<std::string> paths(const BuildContext& context) {
  std::vector<std::string> all;
  const auto entries = read_tar(context.tar);
  EXPECT_TRUE(entries) << entries.error().message;
  for (const auto& entry : *entries) all.push_back(entry.path);
  return all;
}

TEST(BuildContext, HoldsTheFolderWithoutWhatIsIgnored) {
  test::TempDir dir;
  dir.write("Dockerfile", "FROM scratch\n");
  dir.write(".dockerignore", "Dockerfile\nout\n!out/kept\n*.log\n");
  std::filesystem::create_directories(dir.file("out"));
  dir.write("out/kept", "k");
  dir.write("out/gone", "g");
  dir.write("a.log", "");
  dir.write("run.sh", "x");
  std::filesystem::permissions(dir.file("run.sh"), std::filesystem::perms(0755));
  ASSERT_EQ(::symlink("run.sh", dir.file("link").c_str()), 0);
  const auto context = read_build_context(dir.path(), "", "");
  ASSERT_TRUE(context) << context.error().message;
  EXPECT_EQ(context->dockerfile, "Dockerfile");
  EXPECT_THAT(paths(*context), ElementsAre(".dockerignore", "Dockerfile", "link", "out/kept", "run.sh"));
  const auto entries = *read_tar(context->tar);
  EXPECT_EQ(entries[2].link_target, "run.sh");
  EXPECT_EQ(entries[4].mode, 0755U);
}

TEST(BuildContext, TakesADockerfileFromAnywhere) {
  test::TempDir dir, other;
  dir.write("file", "x");
  other.write("Other", "FROM scratch\nLABEL a=b\n");
  const auto context = read_build_context(dir.path(), other.file("Other"), "");
  ASSERT_TRUE(context) << context.error().message;
  EXPECT_THAT(paths(*context), ElementsAre("file", context->dockerfile));
  const auto given = read_build_context(dir.path(), "", "FROM scratch\n");
  ASSERT_TRUE(given) << given.error().message;
  EXPECT_EQ(read_tar(given->tar)->back().content, "FROM scratch\n");
}

TEST(BuildContext, SaysWhatIsMissingOrTooMuch) {
  test::TempDir dir;
  EXPECT_EQ(read_build_context(dir.file("none"), "", "").error().code, Errc::not_found);
  EXPECT_THAT(read_build_context(dir.path(), "", "").error().message, HasSubstr("Dockerfile"));
  dir.write("Dockerfile", "FROM scratch\n");
  dir.write("big", std::string(200000, 'x'));
  const auto large = read_build_context(dir.path(), "", "", 100000);
  EXPECT_EQ(large.error().code, Errc::too_large);
  EXPECT_THAT(large.error().message, HasSubstr(".dockerignore"));
}

TEST(Tar, ReadsBackWhatItWrote) {
  TarEntry entry{"folder/" + std::string(150, 'n'), "content", 0640};
  entry.uid = 1000;
  entry.modified = 1700000000;
  TarEntry link{"l", {}, 0777};
  link.link_target = std::string(150, 't');
  const auto read = read_tar(tar_of({{"folder/", "", 0755}, entry, link}));
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), 3U);
  EXPECT_EQ((*read)[0].path, "folder/");
  EXPECT_EQ((*read)[1].path, entry.path);
  EXPECT_EQ((*read)[1].content, "content");
  EXPECT_EQ((*read)[1].mode, 0640U);
  EXPECT_EQ((*read)[1].uid, 1000U);
  EXPECT_EQ((*read)[1].modified, 1700000000);
  EXPECT_EQ((*read)[2].link_target, link.link_target);
  EXPECT_FALSE(read_tar(tar_of({entry}).substr(0, 900)));
  EXPECT_FALSE(read_tar(std::string(1024, 'x')));
}

}  // namespace
}  // namespace devstack::docker
