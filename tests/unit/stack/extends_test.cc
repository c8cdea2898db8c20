// https://docs.docker.com/reference/compose-file/services/#extends
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"
#include "tests/unit/stack/load.h"

namespace devstack::stack {
namespace {

using devstack::test::TempDir;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

Result<StackFile> load_in(const TempDir& dir, Environment environment = {}, Texts files = {}) {
  LoadOptions options;
  options.cwd = dir.path();
  options.environment = std::move(environment);
  options.files = std::move(files);
  return load(options);
}

TEST(Extends, AServiceOfTheSameFile) {
  const auto file = test::read(R"(
services:
  base: {image: nginx, environment: {A: 1, B: 2}, command: [base], ports: ["80"], labels: [a=1]}
  web:
    extends: base
    environment: [B=3]
    command: [web]
    ports: ["81"]
  api:
    extends: {service: web}
    image: api
)");
  ASSERT_TRUE(file) << file.error().to_string();
  const auto& web = file->services.at("web");
  EXPECT_EQ(web.image, "nginx");
  EXPECT_EQ(web.environment, (TextMap{{"A", "1"}, {"B", "3"}}));
  EXPECT_THAT(web.command, ElementsAre("web"));
  EXPECT_EQ(web.ports.size(), 2U);
  EXPECT_EQ(web.labels, (TextMap{{"a", "1"}}));
  EXPECT_EQ(web.at, (SourcePos{"stack.yaml", 4, 3}));
  const auto& api = file->services.at("api");
  EXPECT_EQ(api.image, "api");
  EXPECT_EQ(api.environment, web.environment);
  EXPECT_EQ(file->services.at("base").environment, (TextMap{{"A", "1"}, {"B", "2"}}));
}

TEST(Extends, AServiceOfAnotherFileWithItsPathsAndItsOwnBase) {
  TempDir dir;
  dir.write("compose.yaml", "services: {web: {extends: {file: common/web.yaml, service: app}, image: mine}}\n");
  dir.write("common/web.yaml",
            "services:\n  app: {extends: {file: ../base.yaml, service: base}, volumes: [\"./data:/data\"]}\n"
            "  unused: {image: \"${MISSING:?not here}\"}\n");
  dir.write("base.yaml",
            "services: {base: {image: base, volumes: [\"./base:/base\", \"../up:/data\"], user: \"$U\"}}\n");
  const auto file = load_in(dir, {{"U", "me"}});
  ASSERT_TRUE(file) << file.error().to_string();
  const auto& web = file->services.at("web");
  EXPECT_EQ(web.image, "mine");
  EXPECT_EQ(web.user, "me");
  ASSERT_EQ(web.volumes.size(), 2U);
  EXPECT_EQ(web.volumes[0].source, dir.path() + "/base");
  EXPECT_EQ(web.volumes[1].source, dir.path() + "/common/data");
  EXPECT_EQ(file->services.size(), 1U);
  EXPECT_THAT(file->files, ElementsAre(dir.file("compose.yaml"), dir.file("common/web.yaml"), dir.file("base.yaml")));
}

TEST(Extends, BringsNothingElseAlong) {
  TempDir dir;
  dir.write("compose.yaml", "services: {web: {extends: {file: base.yaml, service: base}}}\n");
  dir.write("base.yaml", "name: other\nservices: {base: {image: x, depends_on: [db]}, db: {image: y}}\n");
  const auto file = load_in(dir);
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().to_string(), HasSubstr("base.yaml:2:"));
  EXPECT_THAT(file.error().to_string(), HasSubstr("no service \"db\""));
}

TEST(Extends, ResetsWhatTheBaseSays) {
  const auto file = test::read(R"(
services:
  base: {image: nginx, ports: ["80"], environment: {A: 1}}
  web: {extends: base, ports: !reset [], environment: !override {B: 2}}
)");
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_TRUE(file->services.at("web").ports.empty());
  EXPECT_EQ(file->services.at("web").environment, (TextMap{{"B", "2"}}));
}

TEST(Extends, IsFollowedInEachFileBeforeTheyAreMerged) {
  LoadOptions options;
  options.cwd = "/project";
  const auto file = parse({{"a.yaml", "services: {base: {image: a}, web: {extends: base}}"},
                           {"b.yaml", "services: {base: {image: b}, late: {extends: web, user: u}}"}},
                          options);
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->services.at("web").image, "a");
  EXPECT_EQ(file->services.at("base").image, "b");
  EXPECT_EQ(file->services.at("late").image, "a");
}

TEST(Extends, ACycleIsNamed) {
  EXPECT_EQ(test::errors("services:\n  a: {extends: b}\n  b: {extends: c}\n  c:\n    extends:\n      service: a\n"),
            "stack.yaml:6:16: services.c.extends: services extend each other: a (stack.yaml) -> b (stack.yaml) -> c "
            "(stack.yaml) -> a (stack.yaml)");
  EXPECT_EQ(test::errors("services:\n  a: {extends: a}\n"),
            "stack.yaml:2:16: services.a.extends: services extend each other: a (stack.yaml) -> a (stack.yaml)");
}

TEST(Extends, ACycleOverFilesIsNamed) {
  TempDir dir;
  dir.write("compose.yaml", "services: {web: {extends: {file: base.yaml, service: base}}}\n");
  dir.write("base.yaml", "services: {base: {extends: {file: compose.yaml, service: web}}}\n");
  EXPECT_EQ(load_in(dir).error().to_string(),
            "base.yaml:1:58: services.base.extends: services extend each other: web (compose.yaml) -> base (base.yaml) "
            "-> web (compose.yaml)");
}

TEST(Extends, WhatIsNotThereIsNamed) {
  TempDir dir;
  dir.write(
      "compose.yaml",
      "services:\n  a: {extends: {file: none.yaml, service: x}}\n  b: {extends: {file: base.yaml, service: wep}}\n"
      "  c: {extends: sub}\n  d: {extends: {file: sub, service: x}}\n  e: {extends: {services: x}}\n"
      "  f: {extends: {file: old.yaml, service: x}}\n");
  dir.write("base.yaml", "services: {web: {image: x}}\n");
  dir.write("old.yaml", "x: {image: y}\n");
  dir.write("sub/file", "");
  const auto text = load_in(dir).error().to_string();
  EXPECT_THAT(text, HasSubstr("compose.yaml:2:23: services.a.extends: cannot read " + dir.file("none.yaml") +
                              ": No such file or directory"));
  EXPECT_THAT(text, HasSubstr("compose.yaml:3:43: services.b.extends: no service \"wep\" in base.yaml; did you mean "
                              "\"web\"?"));
  EXPECT_THAT(text, HasSubstr("compose.yaml:4:16: services.c.extends: no service \"sub\" in compose.yaml"));
  EXPECT_THAT(text,
              HasSubstr("compose.yaml:5:23: services.d.extends: cannot read " + dir.file("sub") + ": it is a folder"));
  EXPECT_THAT(text, HasSubstr("compose.yaml:6:16: services.e.extends: expected the name of a service, or a map"));
  EXPECT_THAT(text, HasSubstr("old.yaml:1:1: this is Compose's old format 1"));
}

TEST(Extends, AChainHasALimit) {
  std::string text = "services:\n  s0: {image: x}\n";
  for (int i = 1; i < 200; ++i) text += fmt::format("  s{}: {{extends: s{}}}\n", i, i - 1);
  EXPECT_THAT(test::errors(text.substr(0, text.find("  s50:"))), "");
  // The first ones are read first, so that no chain is longer than a step.
  std::string backwards = "services:\n";
  for (int i = 199; i > 0; --i) backwards += fmt::format("  s{}: {{extends: s{}}}\n", i, i - 1);
  EXPECT_THAT(test::errors(backwards + "  s0: {image: x}\n"), HasSubstr("more than 64 services extend each other"));
}

TEST(Extends, ManyOfABigServiceAreRefusedBeforeMemoryIs) {
  std::string text = "services:\n  base:\n    image: x\n    expose: [1";
  for (int i = 0; i < 20'000; ++i) text += ",1";
  text += "]\n";
  for (int i = 0; i < 200; ++i) text += fmt::format("  s{}: {{extends: base}}\n", i);
  EXPECT_THAT(test::errors(text), HasSubstr("the stack has more than 500000 values"));
}

}  // namespace
}  // namespace devstack::stack
