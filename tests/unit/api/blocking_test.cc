#include "core/api/blocking.h"

#include <gtest/gtest.h>

#include "core/api/gzip.h"
#include "core/api/select.h"
#include "core/api/status.h"

namespace devstack::api {
namespace {

using namespace std::chrono_literals;

Result<ReadOptions> options(std::string_view query) { return read_options(*http::Query::parse(query)); }

std::string refusal(std::string_view query) {
  const auto read = options(query);
  return read ? "accepted" : read.error().message;
}

TEST(ReadOptions, TakesIndexWaitAndConsistency) {
  const auto read = options("index=18446744073709551615&wait=1m30s&stale");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->index, 18446744073709551615U);
  EXPECT_EQ(read->wait, 90s);
  EXPECT_EQ(read->consistency, Consistency::stale);
}

TEST(ReadOptions, RefusesWithConsulsTexts) {
  EXPECT_EQ(refusal("index=abc"), "Invalid index");
  EXPECT_EQ(refusal("index=-1"), "Invalid index");
  EXPECT_EQ(refusal("index=1&wait=10"), "Invalid wait time");
  EXPECT_EQ(refusal("stale&consistent"), "Cannot specify ?stale with ?consistent, conflicting semantics.");
  EXPECT_EQ(refusal("max_stale=bad"), "Invalid max_stale value \"bad\"");
}

TEST(BlockingTime, DefaultsCapsAndJitters) {
  EXPECT_EQ(blocking_time(0s, 0), 5min);
  EXPECT_EQ(blocking_time(-3s, 0), 5min);
  EXPECT_EQ(blocking_time(1h, 0), 10min);
  EXPECT_EQ(blocking_time(16s, 0), 16s);
  EXPECT_EQ(blocking_time(16s, 1), 17s);
}

TEST(HttpStatus, ValidationIs500AndDecodingIs400) {
  EXPECT_EQ(http_status(Errc::failed), 500);
  EXPECT_EQ(http_status(Errc::invalid_argument), 500);
  EXPECT_EQ(http_status(Errc::not_found), 500);
  EXPECT_EQ(http_status(Errc::unavailable), 500);
  EXPECT_EQ(http_status(Errc::parse), 400);
  EXPECT_EQ(http_status(Errc::too_large), 413);
}

TEST(Passing, IsBareOrABoolean) {
  EXPECT_TRUE(*wants_passing(*http::Query::parse("passing")));
  EXPECT_TRUE(*wants_passing(*http::Query::parse("passing=1")));
  EXPECT_FALSE(*wants_passing(*http::Query::parse("passing=false")));
  EXPECT_FALSE(*wants_passing(*http::Query::parse("")));
  EXPECT_FALSE(wants_passing(*http::Query::parse("passing=maybe")));
}

TEST(NodeMeta, EveryPairMustBeThere) {
  const registry::StringMap meta{{"a", "1"}, {"empty", ""}};
  EXPECT_TRUE(has_meta(meta, {"a:1"}));
  EXPECT_TRUE(has_meta(meta, {"a:1", "empty"}));
  EXPECT_FALSE(has_meta(meta, {"a:2"}));
  EXPECT_FALSE(has_meta(meta, {"a"}));
}

TEST(Gzip, IsTakenUnlessItsQualityIsZero) {
  EXPECT_TRUE(accepts_gzip("gzip"));
  EXPECT_TRUE(accepts_gzip("deflate, gzip;q=0.5"));
  EXPECT_TRUE(accepts_gzip("*"));
  EXPECT_FALSE(accepts_gzip("gzip;q=0"));
  EXPECT_FALSE(accepts_gzip("identity"));
  EXPECT_LT(gzip(std::string(4000, 'a')).size(), 200U);
}

}  // namespace
}  // namespace devstack::api
