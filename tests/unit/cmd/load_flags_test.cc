// How another devstack is told which stack is meant.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cmd/devstack/command.h"
#include "tests/support/temp_dir.h"

namespace devstack {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string here(const std::string& path) { return std::filesystem::current_path().string() + "/" + path; }

/// What a command line sets, flags before and after the command.
Globals parsed(std::string line) {
  Globals globals;
  CLI::App cli;
  cli.fallthrough();
  std::vector<std::string> names;
  add_load_flags(cli, globals);
  cli.add_subcommand("config")->add_option("SERVICE", names);
  cli.parse(std::move(line));
  return globals;
}

TEST(LoadFlags, EachTakesOneValueAndMayStandOnEitherSide) {
  const auto globals = parsed("-f a.yaml --profile p config -f b.yaml web --profile q --env-file e api --file -");
  EXPECT_THAT(globals.files, ElementsAre("a.yaml", "b.yaml", "-"));
  EXPECT_THAT(globals.profiles, ElementsAre("p", "q"));
  EXPECT_THAT(globals.env_files, ElementsAre("e"));
}

TEST(LoadFlags, AreHandedOnWithAbsolutePaths) {
  Globals globals;
  EXPECT_THAT(*load_flags(globals, "/unused"), IsEmpty());
  globals.files = {"a.yaml", "/b.yaml"};
  globals.env_files = {"./e.env"};
  globals.profiles = {"p", "*"};
  globals.project_directory = "sub";
  EXPECT_THAT(*load_flags(globals, "/unused"),
              ElementsAre("-f", here("a.yaml"), "-f", "/b.yaml", "--env-file", here("e.env"), "--profile", "p",
                          "--profile", "*", "--project-directory", here("sub")));
}

TEST(LoadFlags, StandardInputBecomesAFile) {
  const test::TempDir dir;
  Globals globals;
  globals.files = {"-", "b.yaml"};
  globals.stdin_text = "services: {}\n";
  const auto file = dir.file("stdin.yaml");
  EXPECT_THAT(*load_flags(globals, file),
              ElementsAre("-f", file, "-f", here("b.yaml"), "--project-directory", here("")));
  EXPECT_EQ(test::read_file(file), "services: {}\n");
  EXPECT_FALSE(load_flags(globals, "/nonexistent/stdin.yaml"));
}

TEST(ApplyRequest, SaysAllThatLoadingNeeds) {
  stack::LoadOptions load;
  load.files = {"a", "-"};
  load.stdin_text = "text\n";
  load.cwd = "/here";
  load.project = "p";
  load.project_directory = "/there";
  load.profiles = {"x"};
  load.env_files = {"e"};
  load.targets = {"web"};
  load.environment = {{"A", "1"}};
  const auto read = parse_apply_request(apply_request(load));
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(read->files, load.files);
  EXPECT_EQ(read->stdin_text, load.stdin_text);
  EXPECT_EQ(read->cwd, load.cwd);
  EXPECT_EQ(read->project, load.project);
  EXPECT_EQ(read->project_directory, load.project_directory);
  EXPECT_EQ(read->profiles, load.profiles);
  EXPECT_EQ(read->env_files, load.env_files);
  EXPECT_EQ(read->targets, load.targets);
  EXPECT_EQ(read->environment, load.environment);
}

TEST(ApplyRequest, AnOlderClientMayLeaveOutWhatIsNew) {
  EXPECT_TRUE(parse_apply_request(R"({"files": [], "cwd": "/", "project": "", "environment": {}})"));
  EXPECT_FALSE(parse_apply_request(R"({"files": [], "cwd": "/", "project": ""})"));
  EXPECT_FALSE(parse_apply_request(R"({"files": 1, "cwd": "/", "project": "", "environment": {}})"));
}

}  // namespace
}  // namespace devstack
