#include "core/api/paths.h"

#include <gtest/gtest.h>

#include "core/api/routes.h"

namespace devstack::api {
namespace {

TEST(CleanPath, RemovesEmptyAndDotSegments) {
  EXPECT_EQ(clean_path("/v1/kv/a//b"), "/v1/kv/a/b");
  EXPECT_EQ(clean_path("/v1/kv/a/./b/../c/"), "/v1/kv/a/c/");
  EXPECT_EQ(clean_path("/.."), "/");
  EXPECT_EQ(clean_path("//"), "/");
  EXPECT_EQ(clean_path(""), "/");
}

TEST(CleanPath, LeavesDotsInsideNamesAlone) { EXPECT_EQ(clean_path("/v1/kv/.hidden/a..b"), "/v1/kv/.hidden/a..b"); }

TEST(Routes, LongestPrefixWins) {
  const auto exact = find_route("/v1/agent/service/register");
  ASSERT_NE(exact.route, nullptr);
  EXPECT_EQ(exact.route->path, "/v1/agent/service/register");
  const auto below = find_route("/v1/agent/service/deregister/a/b");
  EXPECT_EQ(below.route->path, "/v1/agent/service/deregister/");
  EXPECT_EQ(below.rest, "a/b");
  const auto id = find_route("/v1/agent/service/web");
  EXPECT_EQ(id.route->path, "/v1/agent/service/");
  EXPECT_EQ(id.rest, "web");
}

TEST(Routes, ExactRoutesTakeNoSlash) {
  EXPECT_EQ(find_route("/v1/catalog/services/").route, nullptr);
  EXPECT_EQ(find_route("/v1/nosuch").route, nullptr);
  EXPECT_TRUE(find_route("/v1/session/info").needs_slash);
  EXPECT_FALSE(find_route("/v1/session/info/x").needs_slash);
}

TEST(Routes, EveryRouteHasAHandlerForItsMethods) {
  for (const auto& route : routes()) {
    EXPECT_TRUE(route.read != nullptr || route.act != nullptr) << route.path;
    EXPECT_TRUE(route.methods == "GET" || route.act != nullptr) << route.path;
    EXPECT_TRUE(route.watches == nullptr || route.header != Header::none) << route.path;
  }
}

}  // namespace
}  // namespace devstack::api
