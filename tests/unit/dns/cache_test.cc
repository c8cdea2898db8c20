#include "core/dns/cache.h"

#include <gtest/gtest.h>

#include "tests/unit/dns/foreign.h"

namespace devstack::dns {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

const Instant start{hours(100)};

ForeignReplyPtr answer_for(std::uint32_t ttl) {
  auto message = test::reply();
  message.answers = {test::address("www.test", ttl)};
  return test::foreign(message);
}

ForeignReplyPtr denial_for(std::uint32_t ttl) {
  auto message = test::reply();
  message.header.rcode = Rcode::nxdomain;
  message.authority = {test::soa("test", ttl, ttl)};
  return test::foreign(message);
}

TEST(Cache, AnswersWhileItIsFreshAndSaysHowOldItIs) {
  Cache cache;
  EXPECT_TRUE(cache.find("k", start).ask);
  cache.keep("k", answer_for(60), start);
  const auto found = cache.find("k", start + seconds(59));
  ASSERT_TRUE(found.reply);
  EXPECT_FALSE(found.ask);
  EXPECT_FALSE(found.age.stale);
  EXPECT_EQ(found.age.seconds, 59U);
  EXPECT_FALSE(cache.find("other", start).reply);
}

TEST(Cache, KeepsAStaleAnswerForADay) {
  Cache cache;
  cache.keep("k", answer_for(60), start);
  auto found = cache.find("k", start + seconds(60));
  EXPECT_TRUE(found.ask);
  EXPECT_TRUE(found.age.stale);
  ASSERT_TRUE(found.reply);
  found = cache.find("k", start + seconds(59) + Cache::stale_for);
  EXPECT_TRUE(found.reply);
  found = cache.find("k", start + seconds(60) + Cache::stale_for);
  EXPECT_FALSE(found.reply);
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.bytes(), 0U);
}

TEST(Cache, DenialIsNeverStale) {
  Cache cache;
  cache.keep("k", denial_for(60), start);
  EXPECT_FALSE(cache.find("k", start + seconds(59)).ask);
  const auto found = cache.find("k", start + seconds(60));
  EXPECT_FALSE(found.reply);
  EXPECT_TRUE(found.ask);
}

TEST(Cache, NobodyIsAskedRightAfterAFailure) {
  Cache cache;
  cache.failed("k", start);
  auto found = cache.find("k", start + milliseconds(999));
  EXPECT_FALSE(found.ask);
  EXPECT_FALSE(found.reply);
  EXPECT_TRUE(cache.find("k", start + seconds(1)).ask);

  cache.keep("k", answer_for(60), start);
  const auto later = start + seconds(100);
  cache.failed("k", later);
  found = cache.find("k", later + seconds(4));
  EXPECT_FALSE(found.ask);
  EXPECT_TRUE(found.reply);
  EXPECT_TRUE(found.age.stale);
  EXPECT_TRUE(cache.find("k", later + seconds(5)).ask);
}

TEST(Cache, NewAnswerTakesTheOldOnesPlace) {
  Cache cache;
  cache.keep("k", answer_for(60), start);
  const auto second = answer_for(10);
  cache.keep("k", second, start + seconds(100));
  const auto found = cache.find("k", start + seconds(105));
  EXPECT_EQ(found.reply, second);
  EXPECT_EQ(found.age.seconds, 5U);
  cache.failed("k", start + seconds(106));
  EXPECT_EQ(cache.find("k", start + seconds(107)).reply, second) << "a failure does not hide it";
  cache.keep("k", answer_for(0), start + seconds(108));
  EXPECT_FALSE(cache.find("k", start + seconds(108)).reply) << "TTL 0: what was known is known to be old";
}

TEST(Cache, DropsTheLeastRecentlyUsedWhenFull) {
  Cache cache({3, std::size_t{1} << 20});
  for (const char* key : {"a", "b", "c"}) cache.keep(key, answer_for(60), start);
  EXPECT_TRUE(cache.find("a", start).reply);
  cache.keep("d", answer_for(60), start);
  EXPECT_EQ(cache.size(), 3U);
  EXPECT_TRUE(cache.find("a", start).reply);
  EXPECT_FALSE(cache.find("b", start).reply);
}

TEST(Cache, StaysBelowItsBytes) {
  Cache cache({1000, 5000});
  for (int i = 0; i < 100; ++i) {
    cache.keep("key" + std::to_string(i), answer_for(60), start);
    ASSERT_LE(cache.bytes(), 5000U);
  }
  EXPECT_GT(cache.size(), 5U);
  EXPECT_TRUE(cache.find("key99", start).reply);
}

}  // namespace
}  // namespace devstack::dns
