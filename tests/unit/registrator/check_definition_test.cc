#include "core/registrator/check_definition.h"

#include <gtest/gtest.h>

namespace devstack::registrator {
namespace {

using Kind = registry::CheckDefinition::Kind;
using namespace std::chrono_literals;

Result<std::optional<WantedCheck>> read(const registry::StringMap& metadata, const std::string& address) {
  registry::Service service;
  service.id = "vm:rx-10:80";
  service.address = address;
  service.port = 80;
  return check_definition(metadata, service, "10.0.0.2", "0123456789abcdef");
}

std::optional<WantedCheck> check(const registry::StringMap& metadata, const std::string& address = "172.17.0.6") {
  auto found = read(metadata, address);
  EXPECT_TRUE(found) << found.error().message;
  return found ? *found : std::nullopt;
}

std::string problem(const registry::StringMap& metadata) {
  const auto found = read(metadata, "172.17.0.6");
  return found ? "none" : found.error().message;
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

TEST(CheckDefinition, HttpsMayLeaveTheCertificateUnverified) {
  const auto strict = check({{"check_https", "/up"}, {"check_https_method", "POST"}});
  EXPECT_EQ(strict->definition.http, "https://172.17.0.6:80/up");
  EXPECT_EQ(strict->definition.method, "POST");
  EXPECT_FALSE(strict->definition.tls_skip_verify);
  EXPECT_TRUE(check({{"check_https", "/up"}, {"check_tls_skip_verify", "true"}})->definition.tls_skip_verify);
}

TEST(CheckDefinition, GrpcSkipsVerificationOnlyOverTls) {
  const auto plain = check({{"check_grpc", "true"}, {"check_tls_skip_verify", "true"}});
  EXPECT_EQ(plain->definition.kind, Kind::grpc);
  EXPECT_EQ(plain->definition.grpc, "172.17.0.6:80");
  EXPECT_FALSE(plain->definition.grpc_use_tls);
  EXPECT_FALSE(plain->definition.tls_skip_verify);
  const auto tls = check({{"check_grpc", "true"}, {"check_grpc_use_tls", "true"}, {"check_tls_skip_verify", "true"}});
  EXPECT_TRUE(tls->definition.grpc_use_tls);
  EXPECT_TRUE(tls->definition.tls_skip_verify);
}

TEST(CheckDefinition, NoneIsNothing) {
  EXPECT_FALSE(check({{"region", "x"}}));
  EXPECT_FALSE(check({{"check_http", ""}, {"check_interval", "5s"}}));
  EXPECT_FALSE(defines_check({{"check_http", ""}, {"check_interval", "5s"}}));
  EXPECT_TRUE(defines_check({{"check_tcp", "true"}}));
}

TEST(CheckDefinition, AMalformedDurationNamesItsVariable) {
  EXPECT_EQ(problem({{"check_http", "/"}, {"check_interval", "soon"}}),
            "SERVICE_CHECK_INTERVAL: time: invalid duration \"soon\"");
  EXPECT_EQ(problem({{"check_tcp", "true"}, {"check_timeout", "5"}}),
            "SERVICE_CHECK_TIMEOUT: time: missing unit in duration \"5\"");
  EXPECT_EQ(problem({{"check_tcp", "true"}, {"check_interval", "0s"}}), "SERVICE_CHECK_INTERVAL: \"0s\" is too short");
  EXPECT_EQ(problem({{"check_ttl", "-1s"}}), "SERVICE_CHECK_TTL: \"-1s\" is too short");
  EXPECT_EQ(problem({{"check_ttl", "1s"}, {"check_deregister_after", "x"}}),
            "SERVICE_CHECK_DEREGISTER_AFTER: time: invalid duration \"x\"");
}

}  // namespace
}  // namespace devstack::registrator
