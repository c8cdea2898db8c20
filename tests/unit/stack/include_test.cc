// https://docs.docker.com/reference/compose-file/include/
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/stack/config.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/stack/load.h"

namespace devstack::stack {
namespace {

using devstack::test::TempDir;
using testing::ElementsAre;
using testing::HasSubstr;

Result<StackFile> load_in(const TempDir& dir, Environment environment = {}) {
  LoadOptions options;
  options.cwd = dir.path();
  options.environment = std::move(environment);
  return load(options);
}

TEST(Include, BringsServicesWithTheirPathsAndVariables) {
  TempDir dir;
  dir.write("compose.yaml",
            "name: main\ninclude: [db/compose.yaml]\nservices: {web: {image: \"w:$TAG\", depends_on: [db]}}\n");
  dir.write(".env", "TAG=main\n");
  dir.write(
      "db/compose.yaml",
      "name: other\nservices: {db: {image: \"d:$TAG-$OWN\", volumes: [\"./data:/data\"], environment: [OWN, NONE]}}\n");
  dir.write("db/.env", "TAG=below\nOWN=db\n");
  const auto file = load_in(dir);
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->project, "main");
  EXPECT_EQ(file->services.at("web").image, "w:main");
  const auto& db = file->services.at("db");
  EXPECT_EQ(db.image, "d:main-db") << "the includer's variables go first";
  EXPECT_EQ(db.volumes.at(0).source, dir.file("db/data"));
  EXPECT_EQ(db.environment, (TextMap{{"OWN", "db"}}));
  EXPECT_THAT(file->files, ElementsAre(dir.file("compose.yaml"), dir.file("db/compose.yaml")));
}

TEST(Include, TheLongFormSaysFolderFilesAndVariables) {
  TempDir dir;
  dir.write("compose.yaml",
            "include:\n  - path: [inc/a.yaml, inc/b.yaml]\n    project_directory: elsewhere\n    env_file: [my.env]\n");
  dir.write("inc/a.yaml", "services: {db: {image: \"a:$X\", volumes: [\"./d:/d\"], user: u}}\n");
  dir.write("inc/b.yaml", "services: {db: {user: v}}\n");
  dir.write("my.env", "X=mine\n");
  dir.write("inc/.env", "X=not\n");
  const auto file = load_in(dir);
  ASSERT_TRUE(file) << file.error().to_string();
  const auto& db = file->services.at("db");
  EXPECT_EQ(db.image, "a:mine");
  EXPECT_EQ(db.user, "v");
  EXPECT_EQ(db.volumes.at(0).source, dir.file("elsewhere/d"));
}

TEST(Include, IsRecursiveAndRelativeToEachFolder) {
  TempDir dir;
  dir.write("compose.yaml", "include: one/compose.yaml\n");
  dir.write("one/compose.yaml", "include: [{path: ../two/c.yaml}]\nservices: {one: {image: x}}\n");
  dir.write("two/c.yaml", "services: {two: {image: y, volumes: [\"./v:/v\"]}}\n");
  const auto file = load_in(dir);
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->services.at("two").volumes.at(0).source, dir.file("two/v"));
  EXPECT_TRUE(file->services.contains("one"));
}

TEST(Include, AProcessRunsInItsFilesFolder) {
  TempDir dir;
  dir.write("compose.yaml", "include: [sub/compose.yaml]\nservices: {mine: {command: ./a}}\n");
  dir.write("sub/compose.yaml", "services: {theirs: {command: ./b}, other: {command: ./c, working_dir: bin}}\n");
  const auto file = load_in(dir);
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->services.at("mine").working_dir, "");
  EXPECT_EQ(file->services.at("theirs").working_dir, dir.file("sub"));
  EXPECT_EQ(file->services.at("other").working_dir, dir.file("sub/bin"));
}

TEST(Include, TheLocalDefinitionWinsAndThatIsSaid) {
  TempDir dir;
  dir.write("compose.yaml", "include: [inc.yaml]\nservices:\n  db: {image: mine}\n  same: {image: s}\n");
  dir.write("inc.yaml", "services:\n  db: {image: theirs, user: u}\n  same: {image: s}\n");
  const auto file = load_in(dir);
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->services.at("db").image, "mine");
  EXPECT_EQ(file->services.at("db").user, "u");
  EXPECT_THAT(file->warnings,
              ElementsAre("compose.yaml:3:3: services.db is also defined in inc.yaml:2:7, which is included: this "
                          "definition goes on top of that one"));
}

TEST(Include, AnOverrideFileChangesWhatIsIncluded) {
  TempDir dir;
  dir.write("compose.yaml", "include: [inc.yaml]\n");
  dir.write("compose.override.yaml", "services: {db: {environment: {A: 2}}}\n");
  dir.write("inc.yaml", "services: {db: {image: x, environment: {A: 1, B: 1}}}\n");
  const auto file = load_in(dir);
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->services.at("db").environment, (TextMap{{"A", "2"}, {"B", "1"}}));
}

TEST(Include, AServiceMayExtendAnIncludedOne) {
  TempDir dir;
  dir.write("compose.yaml", "include: [inc.yaml]\nservices: {mine: {extends: base, user: u}}\n");
  dir.write("inc.yaml", "services: {base: {image: x}}\n");
  const auto file = load_in(dir);
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->services.at("mine").image, "x");
}

TEST(Include, OurKeysComeAlong) {
  TempDir dir;
  dir.write("compose.yaml", "include: [sub/inc.yaml]\ndns: {port: 8600}\n");
  dir.write("sub/inc.yaml",
            "x-devstack: {dns: {port: 53, only_passing: true}}\n"
            "templates: [{source: t, destination: out/t}]\n");
  const auto file = load_in(dir);
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->dns.port, 8600);
  EXPECT_TRUE(file->dns.only_passing);
  EXPECT_EQ(file->templates.at(0).source, dir.file("sub/t"));
}

TEST(Include, PathsAreFilledInWhereValuesAreNot) {
  TempDir dir;
  dir.write("compose.yaml", "include: [\"${FOLDER:-sub}/inc.yaml\"]\n");
  dir.write("sub/inc.yaml", "services: {a: {image: \"x:$TAG\", build: \"./$CONTEXT\"}}\n");
  LoadOptions options;
  options.cwd = dir.path();
  EXPECT_EQ(merged_text(options).value_or("nothing"),
            "services:\n  a:\n    image: \"x:$TAG\"\n    build: \"" + dir.file("sub/$CONTEXT") + "\"\n");
}

TEST(Include, ACycleIsNamed) {
  TempDir dir;
  dir.write("compose.yaml", "include: [a.yaml]\n");
  dir.write("a.yaml", "include:\n  - compose.yaml\n");
  EXPECT_EQ(load_in(dir).error().to_string(),
            "a.yaml:2:5: include[0]: files include each other: " + dir.file("compose.yaml") + " -> " +
                dir.file("a.yaml") + " -> " + dir.file("compose.yaml"));
}

TEST(Include, DepthAndNumberAreBounded) {
  TempDir dir;
  dir.write("compose.yaml", "include: [d0/c.yaml]\n");
  for (int i = 0; i < 20; ++i) {
    dir.write(fmt::format("d{}/c.yaml", i), fmt::format("include: [../d{}/c.yaml]\n", i + 1));
  }
  EXPECT_THAT(load_in(dir).error().to_string(), HasSubstr("files include each other 16 deep"));
  // Every file includes the next one twice: 2^15 of them.
  for (int i = 0; i < 15; ++i) {
    dir.write(fmt::format("d{}/c.yaml", i), fmt::format("include: [../d{0}/c.yaml, ../d{0}/c.yaml]\n", i + 1));
  }
  dir.write("d15/c.yaml", "services: {a: {image: x}}\n");
  EXPECT_THAT(load_in(dir).error().to_string(), HasSubstr("the stack is too large"));
}

TEST(Include, WhatIsWrongIsNamed) {
  TempDir dir;
  dir.write("compose.yaml",
            "include:\n  - none.yaml\n  - sub\n  - {paths: x}\n  - bad.yaml\n  - {path: ok.yaml, "
            "env_file: no.env}\n");
  dir.write("bad.yaml", "services: {web: {image: x, bogus: 1}}\n");
  dir.write("ok.yaml", "services: {}\n");
  dir.write("sub/file", "");
  const auto text = load_in(dir).error().to_string();
  EXPECT_THAT(text, HasSubstr("compose.yaml:2:5: include[0]: cannot read " + dir.file("none.yaml")));
  EXPECT_THAT(text, HasSubstr("compose.yaml:3:5: include[1]: cannot read " + dir.file("sub") + ": it is a folder"));
  EXPECT_THAT(text, HasSubstr("compose.yaml:4:5: include[2]: expected a path, or a map of `path`"));
  EXPECT_THAT(text, HasSubstr("bad.yaml:1:28: services.web: unknown key \"bogus\""));
  EXPECT_THAT(text, HasSubstr("cannot read " + dir.file("no.env")));
}

}  // namespace
}  // namespace devstack::stack
