#include "core/ui/access.h"

#include <gtest/gtest.h>

namespace devstack::ui {
namespace {

http::Request request(std::string host) {
  http::Request out;
  out.headers.set("Host", std::move(host));
  return out;
}

TEST(Access, OnlyNamesOfThisMachineMayBeAskedFor) {
  const AccessPolicy policy({"127.0.0.1"}, {"Status.test"}, "secret");
  for (const char* host : {"localhost", "localhost:7500", "LocalHost:7500", "localhost.", "127.0.0.1", "127.0.0.1:80",
                           "[::1]", "[::1]:7500", "ui.localhost", "ui.localhost:80", "status.test:7500"}) {
    EXPECT_TRUE(policy.host_allowed(host)) << host;
  }
  for (const char* host : {"",
                           "evil.example",
                           "localhost.evil.example",
                           "evil.example:7500",
                           "127.0.0.1.evil.example",
                           "127.0.0.2",
                           "192.168.1.5:7500",
                           "localhost:",
                           "localhost:x",
                           "localhost:7500:7500",
                           "localhost@evil.example",
                           "[::1",
                           "[::1]x",
                           "[::2]",
                           "::1",
                           "local host",
                           "localhost/",
                           "127.1",
                           "0.0.0.0",
                           "xui.localhost"}) {
    EXPECT_FALSE(policy.host_allowed(host)) << host;
  }
}

TEST(Access, ItsOwnAddressesMayBeAskedFor) {
  const AccessPolicy policy({"192.168.33.33"}, {}, "secret");
  EXPECT_TRUE(policy.host_allowed("192.168.33.33:7500"));
  EXPECT_FALSE(policy.host_allowed("192.168.33.34:7500"));
}

TEST(Access, WildcardAdmitsAddressesButNoNames) {
  const AccessPolicy policy({"0.0.0.0"}, {}, "secret");
  EXPECT_TRUE(policy.host_allowed("192.168.1.5:7500"));
  EXPECT_TRUE(policy.host_allowed("[fd00::5]:7500"));
  EXPECT_FALSE(policy.host_allowed("rebound.example:7500"));
}

TEST(Access, MissingHostIsRefused) {
  const AccessPolicy policy({"127.0.0.1"}, {}, "secret");
  const auto result = policy.may_read(http::Request());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::permission);
}

TEST(Access, ChangesNeedTokenAndOwnOrigin) {
  const AccessPolicy policy({"127.0.0.1"}, {}, "secret");
  const auto allowed = [&](std::string host, const char* origin, const char* token) {
    auto asked = request(std::move(host));
    if (origin != nullptr) asked.headers.set("Origin", origin);
    if (token != nullptr) asked.headers.set("X-Devstack-Token", token);
    return policy.may_change(asked).has_value();
  };
  EXPECT_TRUE(allowed("localhost:7500", "http://localhost:7500", "secret"));
  EXPECT_TRUE(allowed("LOCALHOST:7500", "http://localhost:7500", "secret"));
  EXPECT_TRUE(allowed("ui.localhost", "https://ui.localhost", "secret"));
  EXPECT_TRUE(allowed("localhost:7500", nullptr, "secret"));

  EXPECT_FALSE(allowed("localhost:7500", "http://localhost:7500", nullptr));
  EXPECT_FALSE(allowed("localhost:7500", "http://localhost:7500", ""));
  EXPECT_FALSE(allowed("localhost:7500", "http://localhost:7500", "secre"));
  EXPECT_FALSE(allowed("localhost:7500", "http://localhost:7500", "secret2"));
  EXPECT_FALSE(allowed("localhost:7500", "http://localhost:7500", "sEcret"));
  EXPECT_FALSE(allowed("localhost:7500", "http://evil.example", "secret"));
  EXPECT_FALSE(allowed("localhost:7500", "http://localhost:8080", "secret"));
  EXPECT_FALSE(allowed("localhost:7500", "null", "secret"));
  EXPECT_FALSE(allowed("localhost:7500", "file://", "secret"));
  EXPECT_FALSE(allowed("evil.example", "http://evil.example", "secret"));
}

TEST(Access, TokensAreLongAndDiffer) {
  const auto one = random_token();
  EXPECT_EQ(one.size(), 32U);
  EXPECT_NE(one, random_token());
}

}  // namespace
}  // namespace devstack::ui
