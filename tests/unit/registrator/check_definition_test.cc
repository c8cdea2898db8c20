#include "core/registrator/check_definition.h"

#include <gtest/gtest.h>

namespace devstack::registrator {
namespace {

using Kind = registry::CheckDefinition::Kind;
using namespace std::chrono_literals;

std::optional<WantedCheck> check(registry::StringMap meta, const std::string& address = "172.17.0.6") {
  registry::Service service;
  service.id = "vm:rx-10:80";
  service.address = address;
  service.port = 80;
  service.meta = std::move(meta);
  return check_definition(service, "10.0.0.2", "0123456789abcdef");
}

TEST(CheckDefinition, Http) {
  const auto found = check({{"check_http", "/health"},
                            {"check_interval", "15s"},
                            {"check_timeout", "1s"},
                            {"check_http_method", "HEAD"},
                            {"check_initial_status", "passing"},
                            {"check_deregister_after", "90m"}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->definition.kind, Kind::http);
  EXPECT_EQ(found->definition.http, "http://172.17.0.6:80/health");
  EXPECT_EQ(found->definition.method, "HEAD");
  EXPECT_EQ(found->definition.interval, 15s);
  EXPECT_EQ(found->definition.timeout, 1s);
  EXPECT_EQ(found->definition.deregister_critical_after, 90min);
  EXPECT_EQ(found->initial_status, "passing");
}

TEST(CheckDefinition, TheFirstKindInRegistratorsOrderWins) {
  EXPECT_EQ(check({{"check_tcp", "true"}, {"check_ttl", "30s"}})->definition.kind, Kind::ttl);
  EXPECT_EQ(check({{"check_script", "x"}, {"check_cmd", "y"}})->definition.kind, Kind::docker);
  EXPECT_EQ(check({{"check_https", "/"}, {"check_cmd", "y"}})->definition.http, "https://172.17.0.6:80/");
}

TEST(CheckDefinition, TtlHasNoInterval) {
  const auto found = check({{"check_ttl", "30s"}, {"check_interval", "5s"}});
  EXPECT_EQ(found->definition.ttl, 30s);
  EXPECT_EQ(found->definition.interval, 0s);
}

TEST(CheckDefinition, TcpDefaultsToTenSeconds) {
  const auto found = check({{"check_tcp", "true"}});
  EXPECT_EQ(found->definition.tcp, "172.17.0.6:80");
  EXPECT_EQ(found->definition.interval, 10s);
}

TEST(CheckDefinition, ScriptRunsInAShellWithAddressAndPort) {
  const auto found = check({{"check_script", "nc -z $SERVICE_IP $SERVICE_PORT"}});
  EXPECT_EQ(found->definition.script_args, (std::vector<std::string>{"/bin/sh", "-c", "nc -z 172.17.0.6 80"}));
}

TEST(CheckDefinition, CommandRunsInTheContainer) {
  const auto found = check({{"check_cmd", "/check.sh"}});
  EXPECT_EQ(found->definition.docker_container_id, "0123456789ab");
  EXPECT_EQ(found->definition.script_args.back(), "/check.sh");
}

TEST(CheckDefinition, AddressesFallBackToTheNodeAndAreBracketed) {
  EXPECT_EQ(check({{"check_tcp", "true"}}, "")->definition.tcp, "10.0.0.2:80");
  EXPECT_EQ(check({{"check_http", "/"}}, "fd00::2")->definition.http, "http://[fd00::2]:80/");
}

TEST(CheckDefinition, NoneOrMalformedIsNothing) {
  EXPECT_FALSE(check({{"region", "x"}}));
  EXPECT_FALSE(check({{"check_http", "/"}, {"check_interval", "soon"}}));
}

}  // namespace
}  // namespace devstack::registrator
