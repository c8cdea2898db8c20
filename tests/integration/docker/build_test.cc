// Images from a Dockerfile, by the engine's classic builder.
#include <gmock/gmock.h>

#include "core/docker/build_context.h"
#include "tests/integration/docker/engine.h"

namespace devstack::docker {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class BuildTest : public EngineTest {
 protected:
  void TearDown() override {
    EngineTest::TearDown();
    run(client_.remove_image(spec_.tags.front()));
  }
  void SetUp() override {
    EngineTest::SetUp();
    spec_.tags = {name_of("built") + ":test"};
  }
  /// `RUN` of a shell line: the image has no /bin/sh.
  static std::string shell(const std::string& line) {
    return "RUN [\"/bin/busybox\", \"sh\", \"-c\", \"" + line + "\"]\n";
  }
  Result<std::string> build(const std::string& dockerfile) {
    dir_.write("Dockerfile", dockerfile);
    auto context = read_build_context(dir_.path(), "", "");
    if (!context) return tl::unexpected(context.error());
    spec_.dockerfile = context->dockerfile;
    return run(client_.build_image(spec_, std::move(context->tar),
                                   [this](const ImageProgress& step) { said_.push_back(step.status); }));
  }
  std::string file(const std::string& path) {
    ContainerSpec spec;
    spec.image = spec_.tags.front();
    spec.command = {"true"};
    const auto tar = run(client_.get_archive(create(std::move(spec)), path));
    const auto entries = tar ? read_tar(*tar) : tl::unexpected(tar.error());
    return entries && entries->size() == 1 ? entries->front().content : "none";
  }

  test::TempDir dir_;
  BuildSpec spec_;
  std::vector<std::string> said_;
};

TEST_F(BuildTest, ArgumentsAndLabelsReachTheImage) {
  spec_.args = {{"WORD", "given"}};
  spec_.labels = {{"made", "here"}};
  const auto id =
      build("FROM " + kImage + "\nARG WORD=none\nARG OTHER=default\n" + shell("echo $WORD $OTHER > /words"));
  ASSERT_TRUE(id) << id.error().message;
  EXPECT_EQ(file("/words"), "given default\n");
  const auto image = run(client_.inspect_image(spec_.tags.front()));
  ASSERT_TRUE(image);
  EXPECT_EQ(image->id, *id);
  EXPECT_EQ(image->labels.at("made"), "here");
  EXPECT_THAT(said_, Contains(HasSubstr("ARG WORD=none"))) << "each step is told";
}

TEST_F(BuildTest, ATargetIsWhereItEnds) {
  const auto stages = "FROM " + kImage + " AS first\n" + shell("echo first > /stage") + "FROM " + kImage +
                      " AS second\nCOPY --from=first /stage /from-first\n" + shell("exit 9");
  spec_.target = "first";
  const auto id = build(stages);
  ASSERT_TRUE(id) << id.error().message;
  EXPECT_EQ(file("/stage"), "first\n");
  EXPECT_EQ(file("/from-first"), "none");
  spec_.target = "nosuch";
  const auto missing = build(stages);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("nosuch"));
}

TEST_F(BuildTest, WhatDockerignoreNamesIsNotSent) {
  dir_.write(".dockerignore", "secret\n*.log\n!kept.log\n");
  for (const char* name : {"app", "secret", "a.log", "kept.log"}) dir_.write(name, name);
  const auto id = build("FROM " + kImage + "\nCOPY . /all/\n" + shell("cd /all && echo * > /names"));
  ASSERT_TRUE(id) << id.error().message;
  EXPECT_THAT(file("/names"),
              AllOf(HasSubstr("app"), HasSubstr("kept.log"), Not(HasSubstr("secret")), Not(HasSubstr("a.log"))));
}

TEST_F(BuildTest, AStepThatFailsIsSaidWithItsOutput) {
  const auto failed = build("FROM " + kImage + "\n" + shell("echo what is wrong; exit 7"));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::failed);
  EXPECT_THAT(failed.error().message, AllOf(HasSubstr("building " + spec_.tags.front()), HasSubstr("non-zero code: 7"),
                                            HasSubstr("\n  what is wrong")));
  EXPECT_EQ(run(client_.inspect_image(spec_.tags.front())).error().code, Errc::not_found);
  const auto wrong = build("FROM " + kImage + "\nNONSENSE x\n");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("NONSENSE"));
}

}  // namespace
}  // namespace devstack::docker
