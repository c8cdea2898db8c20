// `devstack config` as a shell sees it. It starts nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/appliance.h"

namespace devstack::e2e {
namespace {

using ::testing::HasSubstr;

class Config : public ::testing::Test {
 protected:
  [[nodiscard]] Output run(const std::string& args, const std::string& before = "") const {
    return sh("cd " + dir_.path() + " && " + before + " DEVSTACK_STATE_DIR=" + dir_.path() + "/state " +
              DEVSTACK_BINARY + " " + args);
  }
  std::string must(const std::string& args, const std::string& before = "") const {
    const auto output = run(args, before);
    EXPECT_EQ(output.code, 0) << args << ": " << output.text;
    return output.text;
  }

  test::TempDir dir_;
};

TEST_F(Config, ReadsSeveralFilesAndStandardInput) {
  dir_.write("a.yaml", "name: demo\nservices: {web: {image: \"w:$TAG\", environment: [A=1]}}\n");
  dir_.write("b.yaml", "services: {web: {environment: {A: 2}}, db: {image: d, profiles: [data]}}\n");
  dir_.write("e.env", "TAG=7\n");
  EXPECT_EQ(must("-f a.yaml -f b.yaml --env-file e.env config --services"), "web\n");
  EXPECT_EQ(must("-f a.yaml config -f b.yaml --profile data --images --env-file e.env"), "d\nw:7\n");
  EXPECT_THAT(must("-f a.yaml -f - --env-file e.env config", "cat b.yaml |"), HasSubstr("A: \"2\""));
  EXPECT_EQ(must("config --services", "COMPOSE_FILE=a.yaml:b.yaml COMPOSE_PROFILES=data TAG=1"), "db\nweb\n");
  EXPECT_EQ(must("-f a.yaml -f b.yaml config -q db", "TAG=1"), "");
  must("-f a.yaml config -o out.yaml", "TAG=1");
  EXPECT_THAT(test::read_file(dir_.file("out.yaml")), HasSubstr("image: \"w:1\""));
  EXPECT_THAT(must("-f a.yaml config --no-interpolate"), HasSubstr("image: \"w:$TAG\""));
}

TEST_F(Config, ConvertsComposesFirstFormat) {
  dir_.write("docker-compose.yml", "web:\n  image: nginx\n  net: host\n");
  const auto refused = run("config");
  EXPECT_EQ(refused.code, 6);
  EXPECT_THAT(refused.text, HasSubstr("docker-compose.yml:1:1: this is Compose's old format 1"));
  EXPECT_EQ(must("config --convert"), "services:\n  web:\n    image: nginx\n    network_mode: host\n");
  must("config --convert -o compose.yaml");
  EXPECT_EQ(must("config --services"), "web\n");
}

TEST_F(Config, WhatIsWrongHasACodeOfItsOwn) {
  dir_.write("a.yaml", "services: {web: {image: x, bogus: 1}}\n");
  const auto wrong = run("-f a.yaml -f none.yaml config -q");
  EXPECT_EQ(wrong.code, 6);
  EXPECT_THAT(wrong.text, HasSubstr("a.yaml:1:28: services.web: unknown key \"bogus\""));
  EXPECT_THAT(wrong.text, HasSubstr("none.yaml: No such file"));
  EXPECT_EQ(run("config --services --images").code, 2);
}

}  // namespace
}  // namespace devstack::e2e
