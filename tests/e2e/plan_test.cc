// What `plan` and `up --dry-run` announce is what `up` then does; and `up --watch`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <map>

#include "tests/e2e/appliance.h"

namespace devstack::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

constexpr const char* kStack = R"(
name: e2eplan
services:
  hello: {image: devstack/hello, environment: {COLOUR: blue, DB_PASSWORD: secret1}}
  side: {command: "sleep 1000", environment: {N: "1"}}
  gone: {command: "sleep 1000"}
)";
constexpr const char* kChanged = R"(
name: e2eplan
services:
  hello: {image: devstack/hello, environment: {COLOUR: red, DB_PASSWORD: secret2}}
  side: {command: "sleep 1000", environment: {N: "1"}}
  fresh: {command: "sleep 1000"}
)";

std::map<std::string, std::string> actions(const Appliance& appliance, const std::string& args) {
  std::map<std::string, std::string> out;
  const auto document = parse_json(appliance.must("--json " + args));
  for (const auto& unit : document.at("units").as_array()) {
    out[std::string(unit.at("name").as_string())] = std::string(unit.at("action").as_string());
  }
  return out;
}

std::map<std::string, std::string> ids(const Appliance& appliance) {
  std::map<std::string, std::string> out;
  const auto status = appliance.status();
  for (const auto& unit : status.at("services").as_array()) {
    out[std::string(unit.at("name").as_string())] = std::string(unit.at("id").as_string());
  }
  return out;
}

TEST(Plan, SaysThatAContainerThatEndedIsStartedAgain) {
  Appliance appliance("name: e2eplan\nservices: {job: {image: " + busybox_image("plain", {}) +
                      ", command: [echo, ran]}}\n");
  appliance.must("up");
  appliance.must("wait job");
  EXPECT_THAT(actions(appliance, "plan"), ElementsAre(Pair("job", "start")));
  EXPECT_THAT(appliance.must("up"), HasSubstr("start job\n"));
  appliance.must("wait job");
  EXPECT_EQ(ok("docker logs e2eplan-job-1"), "ran\nran");
}

TEST(Plan, SaysWhatHappensAndUpDoesExactlyThat) {
  Appliance appliance(kStack);
  EXPECT_THAT(actions(appliance, "plan"),
              ElementsAre(Pair("gone", "create"), Pair("hello", "create"), Pair("side", "create")));
  EXPECT_NE(sh("test -e " + appliance.state_dir() + "/control.sock").code, 0);
  appliance.must("up");
  const auto before = ids(appliance);
  EXPECT_THAT(actions(appliance, "up --dry-run"),
              ElementsAre(Pair("gone", "unchanged"), Pair("hello", "unchanged"), Pair("side", "unchanged")));
  appliance.rewrite(kChanged);
  EXPECT_THAT(actions(appliance, "up --dry-run"), ElementsAre(Pair("fresh", "create"), Pair("gone", "remove"),
                                                              Pair("hello", "recreate"), Pair("side", "unchanged")));
  EXPECT_EQ(ids(appliance), before);
  const auto said = appliance.must("plan --explain");
  EXPECT_THAT(said, HasSubstr("~ environment.COLOUR: blue -> red\n"));
  EXPECT_THAT(said, HasSubstr("~ environment.DB_PASSWORD: *** -> *** (another value)\n"));
  EXPECT_THAT(said, Not(HasSubstr("secret")));
  EXPECT_THAT(said, HasSubstr("1 to create, 1 to recreate, 1 to remove, 1 unchanged\n"));
  appliance.must("up");
  const auto after = ids(appliance);
  EXPECT_EQ(after.at("side"), before.at("side"));
  EXPECT_NE(after.at("hello"), before.at("hello"));
  EXPECT_TRUE(after.contains("fresh"));
  EXPECT_FALSE(after.contains("gone"));
  appliance.must("stop side");
  EXPECT_EQ(actions(appliance, "plan").at("side"), "start");
  EXPECT_EQ(actions(appliance, "plan --force-recreate hello").at("hello"), "recreate");
  EXPECT_EQ(actions(appliance, "plan --scale side=2").at("side-2"), "create");
}

TEST(Plan, OfABrokenFileExitsWithSix) {
  Appliance appliance(kStack);
  appliance.must("up");
  appliance.rewrite("name: e2eplan\nservices: {hello: {imaeg: x}}\n");
  EXPECT_EQ(appliance.run("plan").code, 6);
  EXPECT_EQ(appliance.run("up").code, 6);
  EXPECT_EQ(ids(appliance).size(), 3U);
}

TEST(Plan, UpExplainEndsWithTheCriticalPathOfTheStart) {
  Appliance appliance(R"(
name: e2eplan
services:
  slow:
    command: ["sh", "-c", "sleep 0.3; touch ready; exec sleep 1000"]
    healthcheck: {test: [CMD-SHELL, test -e ready], interval: 1s}
  hello: {image: devstack/hello, depends_on: {slow: {condition: service_healthy}}}
  side: {command: "sleep 1000"}
)");
  const auto document = parse_json(appliance.must("--json up --explain"));
  EXPECT_TRUE(document.at("healthy").as_bool());
  const auto& startup = document.at("startup");
  EXPECT_EQ(startup.at("units").as_array().size(), 3U);
  std::vector<std::string> steps;
  for (const auto& step : startup.at("critical_path").as_array()) {
    steps.push_back(std::string(step.at("unit").as_string()) + " " + std::string(step.at("phase").as_string()));
    if (step.at("waits").as_bool()) {
      EXPECT_THAT(std::string(step.at("detail").as_string()), HasSubstr("slow"));
    }
  }
  EXPECT_THAT(steps, ElementsAre("slow queued", "slow start", "slow health", "hello dependency", "hello image",
                                 "hello create", "hello start"));
  const auto again = appliance.must("up --explain");
  EXPECT_THAT(again, HasSubstr("nothing had to be started\n"));
  appliance.must("stop hello");
  EXPECT_THAT(appliance.must("up --explain"), HasSubstr("Critical path: the start took "));
}

TEST(Watch, ChangesOfTheStackFileAreAppliedAndErrorsApplyNothing) {
  Appliance appliance(kStack);
  appliance.must("up --watch");
  const auto before = ids(appliance);
  appliance.rewrite("name: e2eplan\nservices: {hello: {imaeg: x}}\n");
  EXPECT_TRUE(eventually(
      [&] { return appliance.run("logs devstack").text.find("did you mean \"image\"?") != std::string::npos; }));
  EXPECT_EQ(ids(appliance), before);
  appliance.rewrite(kChanged);
  EXPECT_TRUE(eventually([&] {
    const auto now = ids(appliance);
    return now.contains("fresh") && !now.contains("gone") && now.at("hello") != before.at("hello") &&
           !now.at("hello").empty();
  }));
  EXPECT_EQ(ids(appliance).at("side"), before.at("side"));
}

}  // namespace
}  // namespace devstack::e2e
