// The shipped stack.yaml is the onboarding example: it must work as it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/e2e/appliance.h"

namespace devstack::e2e {
namespace {

using ::testing::HasSubstr;

std::string shipped() { return test::read_file(std::string(DEVSTACK_SOURCE_DIR) + "/stack.yaml"); }

TEST(Shipped, WorksWithDockerByNameThroughProxyAndDns) {
  Appliance appliance(shipped());
  appliance.must("up");
  EXPECT_TRUE(appliance.status().at("healthy").as_bool());
  EXPECT_THAT(ok("curl -sf --resolve hello.localhost:80:127.0.0.1 http://hello.localhost/"), HasSubstr("Hello from"));
  EXPECT_NE(ok("dig +short @127.0.0.1 hello.service.consul"), "");
  EXPECT_THAT(ok("dig +short @127.0.0.1 hello.service.consul SRV"), HasSubstr("1 1 8080 "));
  EXPECT_EQ(ok("curl -sf http://127.0.0.1:8500/v1/kv/app/greeting?raw"), "hello");
  EXPECT_THAT(ok("curl -sf http://127.0.0.1:7500/"), HasSubstr("hello"));
}

TEST(Shipped, WorksWithoutDocker) {
  Appliance appliance(shipped());
  const Output up = sh("DOCKER_HOST=unix:///nonexistent.sock " + appliance.command_line("up"), 120);
  EXPECT_EQ(up.code, 0) << up.text;
  EXPECT_THAT(ok("curl -sf -H 'Host: hello.localhost' http://127.0.0.1/"), HasSubstr("Hello from"));
}

}  // namespace
}  // namespace devstack::e2e
