#include "cmd/devstack/kv_requests.h"

#include <gtest/gtest.h>

#include "cmd/devstack/consul_client.h"
#include "cmd/devstack/follow.h"

namespace devstack {
namespace {

using namespace std::chrono_literals;

std::string target(const Result<http::Request>& request) {
  return request ? request->method + " " + request->target : request.error().message;
}

TEST(KvRequests, KeysAreEscapedAndLoseTheirLeadingSlash) {
  EXPECT_EQ(target(get_request({.key = "/app/a b?c&d"})), "GET /v1/kv/app/a%20b%3Fc%26d");
  EXPECT_EQ(target(delete_request({.key = "/app/x"})), "DELETE /v1/kv/app/x");
}

TEST(KvRequests, GetAsksForOneKeyATreeOrItsKeys) {
  EXPECT_EQ(target(get_request({.key = "a"})), "GET /v1/kv/a");
  EXPECT_EQ(target(get_request({.key = "a", .recurse = true})), "GET /v1/kv/a?recurse");
  EXPECT_EQ(target(get_request({.key = "", .recurse = true})), "GET /v1/kv/?recurse");
  EXPECT_EQ(target(get_request({.key = "a", .keys = true})), "GET /v1/kv/a?keys&separator=%2F");
  EXPECT_EQ(target(get_request({.key = "a", .keys = true, .separator = ""})), "GET /v1/kv/a?keys");
}

TEST(KvRequests, GetWithoutKeyIsAUsageError) {
  EXPECT_EQ(get_request({}).error().code, Errc::usage);
  EXPECT_EQ(get_request({.key = "/"}).error().code, Errc::usage);
  EXPECT_EQ(get_request({.key = "a", .recurse = true, .keys = true}).error().code, Errc::usage);
}

TEST(KvRequests, PutCarriesFlagsCasAndLock) {
  KvPutOptions options;
  options.key = "a";
  EXPECT_EQ(target(put_request(options, "v")), "PUT /v1/kv/a");
  EXPECT_EQ(put_request(options, "v")->body, "v");
  options.flags = 18446744073709551615U;
  EXPECT_EQ(target(put_request(options, "")), "PUT /v1/kv/a?flags=18446744073709551615");
  options.cas = true;
  options.modify_index = 0;
  EXPECT_EQ(target(put_request(options, "")), "PUT /v1/kv/a?flags=18446744073709551615&cas=0");
  options = {.key = "a", .acquire = true, .session = "id"};
  EXPECT_EQ(target(put_request(options, "")), "PUT /v1/kv/a?acquire=id");
  options = {.key = "a", .release = true, .session = "id"};
  EXPECT_EQ(target(put_request(options, "")), "PUT /v1/kv/a?release=id");
}

TEST(KvRequests, PutDecodesBase64OnRequest) {
  KvPutOptions options;
  options.key = "a";
  options.base64 = true;
  EXPECT_EQ(put_request(options, "AP8=")->body, std::string("\0\xFF", 2));
  EXPECT_EQ(put_request(options, "no base64!").error().code, Errc::usage);
}

TEST(KvRequests, PutRefusesFlagsThatMeanNothingTogether) {
  const std::vector<KvPutOptions> wrong{
      {.key = ""},
      {.key = "/a"},
      {.key = "a", .cas = true},
      {.key = "a", .modify_index = 3},
      {.key = "a", .acquire = true},
      {.key = "a", .release = true},
      {.key = "a", .session = "id"},
      {.key = "a", .acquire = true, .release = true, .session = "id"},
      {.key = "a", .cas = true, .modify_index = 3, .acquire = true, .session = "id"},
  };
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    const auto request = put_request(wrong[i], "");
    ASSERT_FALSE(request) << i;
    EXPECT_EQ(request.error().code, Errc::usage) << i;
  }
}

TEST(KvRequests, DeleteRefusesCasOfATreeOrOfNothing) {
  EXPECT_EQ(target(delete_request({.key = "a", .recurse = true})), "DELETE /v1/kv/a?recurse");
  EXPECT_EQ(target(delete_request({.key = "a", .cas = true, .modify_index = 7})), "DELETE /v1/kv/a?cas=7");
  EXPECT_EQ(delete_request({}).error().code, Errc::usage);
  EXPECT_EQ(delete_request({.key = "a", .cas = true}).error().code, Errc::usage);
  EXPECT_EQ(delete_request({.key = "a", .cas = true, .modify_index = 0}).error().code, Errc::usage);
  EXPECT_EQ(delete_request({.key = "a", .modify_index = 7}).error().code, Errc::usage);
  EXPECT_EQ(delete_request({.key = "a", .recurse = true, .cas = true, .modify_index = 7}).error().code, Errc::usage);
}

TEST(Follow, AnIndexThatGoesBackwardsStartsAgain) {
  EXPECT_EQ(next_index(0, 12), 12U);
  EXPECT_EQ(next_index(12, 12), 12U);
  EXPECT_EQ(next_index(12, 13), 13U);
  EXPECT_EQ(next_index(12, 11), 0U);
  // A server that sends no index must not be asked in a tight loop.
  EXPECT_EQ(next_index(0, 0), 1U);
}

TEST(Follow, RetriesAreRarerAndRarerUpToABound) {
  EXPECT_EQ(retry_after(1), 100ms);
  EXPECT_EQ(retry_after(2), 200ms);
  EXPECT_EQ(retry_after(6), 3200ms);
  EXPECT_EQ(retry_after(7), 5s);
  EXPECT_EQ(retry_after(1000000), 5s);
}

TEST(ConsulClient, ParametersAreEscapedAndJoined) {
  EXPECT_EQ(with_parameter("/v1/x", "dc", "a&b"), "/v1/x?dc=a%26b");
  EXPECT_EQ(with_parameter("/v1/x?keys", "dc", "dc1"), "/v1/x?keys&dc=dc1");
}

}  // namespace
}  // namespace devstack
