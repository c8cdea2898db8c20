// https://docs.docker.com/reference/compose-file/profiles/
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/stack/load.h"

namespace devstack::stack {
namespace {

using testing::ElementsAre;

constexpr std::string_view kStack = R"(
services:
  web: {image: web}
  db: {image: db, profiles: [data]}
  admin: {image: admin, profiles: [debug, data], depends_on: [db]}
  tracer: {image: tracer, profiles: [debug]}
)";

Result<StackFile> read(std::string_view text, Texts profiles, Texts targets = {}, Environment environment = {}) {
  LoadOptions options;
  options.cwd = "/project";
  options.profiles = std::move(profiles);
  options.targets = std::move(targets);
  options.environment = std::move(environment);
  return parse(text, "stack.yaml", options);
}

std::vector<std::string> names(const std::map<std::string, ServiceSpec>& services) {
  std::vector<std::string> out;
  for (const auto& [name, service] : services) out.push_back(name);
  return out;
}

TEST(Profiles, AServiceWithoutAnyIsAlwaysThere) {
  const auto file = read(kStack, {});
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_THAT(names(file->services), ElementsAre("web"));
  EXPECT_THAT(names(file->inactive), ElementsAre("admin", "db", "tracer"));
  EXPECT_THAT(file->inactive.at("admin").profiles, ElementsAre("debug", "data"));
}

TEST(Profiles, AreGivenByFlagOrVariable) {
  EXPECT_THAT(names(read(kStack, {"data"})->services), ElementsAre("admin", "db", "web"));
  EXPECT_THAT(names(read(kStack, {"*"})->services), ElementsAre("admin", "db", "tracer", "web"));
  EXPECT_THAT(names(read(kStack, {}, {}, {{"COMPOSE_PROFILES", "data, debug"}})->services),
              ElementsAre("admin", "db", "tracer", "web"));
  EXPECT_THAT(names(read(kStack, {"data"}, {}, {{"COMPOSE_PROFILES", "debug"}})->services),
              ElementsAre("admin", "db", "tracer", "web"));
}

TEST(Profiles, NamingAServiceActivatesItsOwn) {
  EXPECT_THAT(names(read(kStack, {}, {"db"})->services), ElementsAre("admin", "db", "web"));
  EXPECT_THAT(names(read(kStack, {}, {"web"})->services), ElementsAre("web"));
  // Its profiles are debug and data: what it depends on comes along.
  EXPECT_THAT(names(read(kStack, {}, {"admin"})->services), ElementsAre("admin", "db", "tracer", "web"));
}

TEST(Profiles, ANamedServiceMustBeThere) {
  const auto file = read(kStack, {}, {"dbb"});
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, Errc::not_found);
  EXPECT_EQ(file.error().to_string(), "no service \"dbb\" in /project/stack.yaml; did you mean \"db\"?");
}

TEST(Profiles, ADependencyOutsideThemIsAnError) {
  EXPECT_EQ(read(kStack, {"debug"}).error().to_string(),
            "stack.yaml:5:63: services.admin.depends_on: \"db\" is not active: use --profile data");
  EXPECT_EQ(read("services:\n  a: {image: x, depends_on: {b: {condition: service_started}}}\n"
                 "  b: {image: y, profiles: [p, q]}\n",
                 {})
                .error()
                .to_string(),
            "stack.yaml:2:33: services.a.depends_on: \"b\" is not active: use --profile p or --profile q");
}

TEST(Profiles, ADependencyThatIsNotRequiredIsLeftOut) {
  const auto file = read(
      "services: {a: {image: x, depends_on: {b: {condition: service_started, required: false}}}, "
      "b: {image: y, profiles: [p]}}",
      {});
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_TRUE(file->services.at("a").depends_on.empty());
  EXPECT_TRUE(file->warnings.empty());
}

TEST(Profiles, WhatIsInactiveIsCheckedTooButTakesNoPort) {
  EXPECT_FALSE(read("services: {a: {image: x, bogus: 1, profiles: [p]}}", {}));
  EXPECT_TRUE(
      read("services: {a: {image: x, ports: [\"80:80\"], profiles: [p]}, b: {image: y, ports: [\"80:80\"]}}", {}));
}

}  // namespace
}  // namespace devstack::stack
