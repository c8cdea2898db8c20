#include "cmd/devstack/config_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace devstack {
namespace {

using Ask = ConfigOptions::Ask;
using test::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

class ConfigCommand : public ::testing::Test {
 protected:
  ConfigCommand() {
    dir_.write(
        "compose.yaml",
        "name: demo\nservices:\n  web: {image: \"web:${TAG:-1}\", depends_on: [api]}\n  api: {image: api, scale: 0}\n"
        "  other: {image: api}\n  debug: {image: busybox, profiles: [debug, more]}\n");
    load_.cwd = dir_.path();
  }
  std::string ask(Ask what) {
    options_.ask = what;
    const auto answer = config_text(load_, options_);
    return answer ? answer->text : answer.error().to_string();
  }

  TempDir dir_;
  stack::LoadOptions load_;
  ConfigOptions options_;
};

TEST_F(ConfigCommand, NamesStandOneALine) {
  EXPECT_EQ(ask(Ask::services), "api\nother\nweb\n");
  EXPECT_EQ(ask(Ask::images), "api\nweb:1\n");
  EXPECT_EQ(ask(Ask::profiles), "debug\nmore\n");
  load_.profiles = {"debug"};
  EXPECT_EQ(ask(Ask::services), "api\ndebug\nother\nweb\n");
}

TEST_F(ConfigCommand, ImagesOfPreStartStepsAreNamed) {
  dir_.write("compose.yaml",
             "name: demo\nservices:\n  web: {build: ., pre_start: [{image: tools, command: [a]}, {command: [b]}]}\n"
             "  worker: {command: [serve]}\n");
  EXPECT_EQ(ask(Ask::images), "demo-web\ntools\n");
}

TEST_F(ConfigCommand, ServicesAreShownWithWhatTheyDependOn) {
  load_.targets = {"web"};
  EXPECT_EQ(ask(Ask::services), "api\nweb\n");
  load_.targets = {"debug"};
  EXPECT_EQ(ask(Ask::services), "debug\n");
  EXPECT_THAT(ask(Ask::stack), HasSubstr("busybox"));
  EXPECT_THAT(ask(Ask::stack), Not(HasSubstr("web")));
  load_.targets = {"wep"};
  EXPECT_THAT(ask(Ask::stack), HasSubstr("no service \"wep\""));
}

TEST_F(ConfigCommand, HashesAreOfOneOrAll) {
  options_.hash_of = "*";
  EXPECT_THAT(ask(Ask::hash), MatchesRegex("api 1:[0-9a-f]{32}\nother 1:[0-9a-f]{32}\nweb 1:[0-9a-f]{32}\n"));
  options_.hash_of = "web";
  const auto before = ask(Ask::hash);
  EXPECT_THAT(before, MatchesRegex("web 1:[0-9a-f]{32}\n"));
  load_.environment = {{"TAG", "2"}};
  EXPECT_NE(ask(Ask::hash), before);
  options_.hash_of = "nothing";
  EXPECT_EQ(ask(Ask::hash), "no service \"nothing\"");
}

TEST_F(ConfigCommand, TheEnvironmentIsThatOfInterpolation) {
  dir_.write(".env", "TAG=3\n");
  load_.environment = {{"HOME", "/root"}};
  EXPECT_EQ(ask(Ask::environment), "COMPOSE_PROJECT_NAME=demo\nHOME=/root\nTAG=3\n");
}

TEST_F(ConfigCommand, AVariableIsExplained) {
  options_.variable = "TAG";
  EXPECT_EQ(ask(Ask::explain),
            "TAG is not set: each place has its own default, or nothing\n"
            "  compose.yaml:3:16  services.web.image: \"web:${TAG:-1}\" -> \"web:1\"\n");
  dir_.write(".env", "TAG=3\n");
  load_.environment = {{"TAG", "4"}};
  EXPECT_EQ(ask(Ask::explain),
            "TAG is \"4\", from the environment\n  hidden by that: \"3\", from .env:1:1\n"
            "  compose.yaml:3:16  services.web.image: \"web:${TAG:-1}\" -> \"web:4\"\n");
  options_.json = true;
  EXPECT_EQ(ask(Ask::explain),
            "{\"variable\":\"TAG\",\"sources\":[{\"value\":\"4\",\"where\":\"the environment\"},{\"value\":\"3\","
            "\"where\":\".env:1:1\"}],\"uses\":[{\"where\":\"compose.yaml:3:16\",\"path\":\"services.web.image\","
            "\"written\":\"web:${TAG:-1}\",\"result\":\"web:4\"}]}\n");
  options_.json = false;
  options_.variable = "UNUSED";
  EXPECT_EQ(ask(Ask::explain), "UNUSED is not set: each place has its own default, or nothing\nno file uses it\n");
}

TEST_F(ConfigCommand, FilesAreShownInTheFormThatIsAskedFor) {
  EXPECT_THAT(ask(Ask::merged), HasSubstr("image: \"web:${TAG:-1}\""));
  options_.json = true;
  EXPECT_THAT(ask(Ask::merged), HasSubstr("\"image\": \"web:${TAG:-1}\""));
  dir_.write("compose.yaml", "web:\n  image: nginx\n");
  EXPECT_EQ(ask(Ask::converted), "{\n  \"services\": {\n    \"web\": {\n      \"image\": \"nginx\"\n    }\n  }\n}\n");
}

TEST_F(ConfigCommand, WarningsGoBesideTheText) {
  dir_.write("compose.yaml", "version: '3'\nservices: {web: {image: \"$NONE\"}}\n");
  dir_.write("compose.override.yaml", "services: {web: {image: x}}\n");
  const auto answer = config_text(load_, options_);
  ASSERT_TRUE(answer) << answer.error().to_string();
  EXPECT_THAT(answer->warnings,
              ElementsAre("compose.yaml:1:1: `version` is obsolete and ignored: remove it",
                          "compose.yaml:2:25: services.web.image: variable NONE is not set; using an empty string"));
}

}  // namespace
}  // namespace devstack
