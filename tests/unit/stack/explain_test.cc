#include "core/stack/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/stack/load.h"

namespace devstack::stack {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Plan plan_of(const std::string& text) {
  const auto file = test::read(text);
  EXPECT_TRUE(file) << file.error().message;
  const auto plan = make_plan(*file, EngineAvailable::yes);
  EXPECT_TRUE(plan) << plan.error().message;
  return *plan;
}

std::vector<KeyChange> changes(const std::string& was, const std::string& is) {
  return explain(plan_of("name: x\nservices: {web: " + was + "}\n").units.at(0),
                 plan_of("name: x\nservices: {web: " + is + "}\n").units.at(0));
}

TEST(Explain, NamesEachKeyWithOldAndNewValue) {
  EXPECT_THAT(changes("{image: 'a:1', environment: {A: x, B: y}}", "{image: 'a:2', environment: {A: z, C: w}}"),
              ElementsAre(KeyChange{"environment.A", "x", "z"}, KeyChange{"environment.B", "y", std::nullopt},
                          KeyChange{"environment.C", std::nullopt, "w"}, KeyChange{"image", "a:1", "a:2"}));
  EXPECT_THAT(changes("{image: a, command: [b, c]}", "{image: a, command: [b, d]}"),
              ElementsAre(KeyChange{"command", R"(["b","c"])", R"(["b","d"])"}));
  EXPECT_THAT(changes("{image: a}", "{image: a}"), IsEmpty());
}

TEST(Explain, ScaleIsNoReason) { EXPECT_THAT(changes("{image: a, scale: 1}", "{image: a, scale: 2}"), IsEmpty()); }

TEST(Explain, SecretsAreNotShown) {
  EXPECT_THAT(changes("{image: a, environment: {DB_PASSWORD: x, api_token: y, NAME: n}}",
                      "{image: a, environment: {DB_PASSWORD: z, API_KEY: w, NAME: m}}"),
              ElementsAre(KeyChange{"environment.API_KEY", std::nullopt, "***"},
                          KeyChange{"environment.DB_PASSWORD", "***", "***"}, KeyChange{"environment.NAME", "n", "m"},
                          KeyChange{"environment.api_token", "***", std::nullopt}));
}

TEST(Explain, ContainerThatBecomesAProcessSaysSo) {
  EXPECT_THAT(changes("{image: a}", "{command: 'sleep 1'}").at(0), (KeyChange{"runs as", "container", "process"}));
}

constexpr const char* kStack = R"(
name: x
services:
  db: {image: a}
  api: {image: a, depends_on: [db]}
  web: {image: a, depends_on: [api]}
  other: {image: a}
)";

std::vector<std::string> names(const Plan& plan) {
  std::vector<std::string> out;
  for (const auto& unit : plan.units) out.push_back(unit.name);
  std::sort(out.begin(), out.end());
  return out;
}

TEST(Narrow, TakesTheNamedAndWhatTheyDependOn) {
  const auto wanted = plan_of(kStack);
  EXPECT_THAT(names(*narrow({}, wanted, {"api"}, Dependencies::with)), ElementsAre("api", "db"));
  EXPECT_THAT(names(*narrow({}, wanted, {"web"}, Dependencies::with)), ElementsAre("api", "db", "web"));
  EXPECT_THAT(names(*narrow({}, wanted, {"api"}, Dependencies::without)), ElementsAre("api"));
  EXPECT_THAT(names(*narrow({}, wanted, {}, Dependencies::with)), ElementsAre("api", "db", "other", "web"));
}

TEST(Narrow, LeavesTheOthersAsTheyRun) {
  const auto running = plan_of("name: x\nservices: {db: {image: old}, api: {image: old}, gone: {image: old}}");
  const auto wanted = plan_of(kStack);
  const auto plan = *narrow(running, wanted, {"api"}, Dependencies::without);
  EXPECT_THAT(names(plan), ElementsAre("api", "db", "gone"));
  for (const auto& unit : plan.units) EXPECT_EQ(unit.spec.image, unit.name == "api" ? "a" : "old");
}

TEST(Narrow, UnknownServiceIsSaid) {
  const auto plan = narrow({}, plan_of(kStack), {"wbe"}, Dependencies::with);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Errc::not_found);
  EXPECT_THAT(plan.error().message, HasSubstr("did you mean \"web\"?"));
}

TEST(Scale, IsReadAndSet) {
  EXPECT_EQ(*parse_scale("web=3"), std::pair(std::string("web"), 3));
  EXPECT_EQ(*parse_scale("web=0"), std::pair(std::string("web"), 0));
  for (const auto* wrong : {"web", "web=", "=3", "web=-1", "web=two", "web=3x", "web=99999", ""}) {
    ASSERT_FALSE(parse_scale(wrong)) << wrong;
    EXPECT_EQ(parse_scale(wrong).error().code, Errc::usage);
  }
  auto file = *test::read("name: x\nservices: {web: {image: a}, one: {image: a, container_name: only}}");
  ASSERT_TRUE(set_scale(file, {{"web", 3}}));
  EXPECT_EQ(file.services.at("web").scale, 3);
  EXPECT_EQ(make_plan(file, EngineAvailable::yes)->units.size(), 4U);
  EXPECT_EQ(set_scale(file, {{"one", 2}}).error().code, Errc::conflict);
  EXPECT_EQ(set_scale(file, {{"none", 2}}).error().code, Errc::not_found);
}

}  // namespace
}  // namespace devstack::stack
