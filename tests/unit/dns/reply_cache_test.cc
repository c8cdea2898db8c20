#include "core/dns/reply_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <new>

#include "core/base/async/clock.h"
#include "core/dns/resolution.h"
#include "core/dns/server.h"

namespace devstack::dns {
namespace {

using testing::Not;
using testing::Optional;

constexpr std::int64_t unix_us = 1'700'000'000'250'000;
const Instant now = Instant(std::chrono::hours(1));

Message question(const std::string& name, Type type = Type::a, bool edns = true) {
  Message query;
  query.header.id = 7;
  query.header.recursion_desired = true;
  query.questions.push_back({Name::parse(name).value(), type, class_in});
  if (edns) query.edns.emplace().udp_bytes = 1232;
  return query;
}

Record address(const std::string& name, std::uint8_t last) {
  return {Name::parse(name).value(), Type::a, class_in, 0, Ipv4{{10, 0, 0, last}}};
}

Message replied(const Message& query, std::vector<Record> answers) {
  Message reply = bare_reply(query, Rcode::noerror, {});
  reply.answers = std::move(answers);
  return reply;
}

std::optional<Repeat> may_repeat(const Message& query, const Message& reply, const AnswerOptions& options = {},
                                 net::Transport transport = net::Transport::udp) {
  return repeatable(Query{query, transport, 1, unix_us / 1'000'000}, reply, encode(reply), options, now, unix_us);
}

std::vector<Record> addresses(int count) {
  std::vector<Record> out;
  for (int i = 1; i <= count; ++i) out.push_back(address("web.service.consul", static_cast<std::uint8_t>(i)));
  return out;
}

TEST(Repeatable, OneAddressIsAndManyAreInAnyOrder) {
  const auto query = question("web.service.consul");
  const auto one = may_repeat(query, replied(query, addresses(1)));
  ASSERT_TRUE(one);
  EXPECT_EQ(one->until, Instant::max());
  EXPECT_EQ(one->shuffle_count, 0);
  const auto many = may_repeat(query, replied(query, addresses(5)));
  ASSERT_TRUE(many);
  EXPECT_EQ(many->shuffle_count, 5);
  EXPECT_EQ(many->shuffle_bytes, 16);
}

TEST(Repeatable, WhatMayHaveBeenChosenFromMoreIsNot) {
  const auto plain = question("web.service.consul", Type::a, false);
  EXPECT_TRUE(may_repeat(plain, replied(plain, addresses(2))));
  EXPECT_FALSE(may_repeat(plain, replied(plain, addresses(3)))) << "three is the limit of plain UDP";
  const auto query = question("web.service.consul");
  AnswerOptions options;
  options.a_record_limit = 1;
  EXPECT_FALSE(may_repeat(query, replied(query, addresses(1)), options));
  auto cut = replied(query, addresses(5));
  cut.header.truncated = true;
  EXPECT_FALSE(may_repeat(query, cut));
  const auto prepared = question("web.query.consul");
  EXPECT_FALSE(may_repeat(prepared, replied(prepared, {address("web.query.consul", 1)})));
  auto alias = replied(query, {});
  alias.answers.push_back({query.questions[0].name, Type::cname, class_in, 0, Target{Name::parse("x.test").value()}});
  EXPECT_FALSE(may_repeat(query, alias)) << "one of several aliases may have been taken";
}

TEST(Repeatable, QuestionsOfAKindAreNot) {
  auto query = question("web.service.consul");
  query.edns->options = std::string("\0\x0a\0\x02xx", 6);
  EXPECT_FALSE(may_repeat(query, replied(query, addresses(1)))) << "a cookie is another one each time";
  query.edns->options.clear();
  EXPECT_FALSE(may_repeat(query, replied(query, addresses(1)), {}, net::Transport::tcp));
}

TEST(Repeatable, AnSoaIsForTheSecondThatIsItsSerial) {
  const auto query = question("none.service.consul");
  auto reply = replied(query, {});
  reply.header.rcode = Rcode::nxdomain;
  reply.authority.push_back({Name::parse("consul").value(), Type::soa, class_in, 0, Soa{}});
  const auto repeat = may_repeat(query, reply);
  ASSERT_TRUE(repeat);
  EXPECT_EQ(repeat->until, now + std::chrono::milliseconds(750));
}

class ReplyCacheTest : public testing::Test {
 protected:
  std::optional<Message> ask(const Message& query, Instant at = now) {
    const auto request = encode(query);
    const auto hit = cache_.find(request, at, random_, out_);
    if (!hit) return std::nullopt;
    EXPECT_EQ(hit->name, query.questions[0].name.wire());
    EXPECT_EQ(hit->type, query.questions[0].type);
    return decode(Bytes(out_).first(hit->size)).value();
  }
  void keep(const Message& query, const Message& reply, Repeat repeat = {}) {
    cache_.keep(encode(query), encode(reply), Source::registry, repeat);
  }

  ReplyCache cache_{42};
  Random random_{1};
  std::vector<std::uint8_t> out_ = std::vector<std::uint8_t>(max_message_bytes);
};

TEST_F(ReplyCacheTest, RepeatsTheReplyWithTheIdOfTheQuestion) {
  auto query = question("web.service.consul");
  const auto reply = replied(query, addresses(1));
  EXPECT_EQ(ask(query), std::nullopt);
  keep(query, reply);
  EXPECT_THAT(ask(query), Optional(reply));
  query.header.id = 0xbeef;
  EXPECT_EQ(ask(query)->header.id, 0xbeef);
}

TEST_F(ReplyCacheTest, OtherQuestionsAreOtherQuestions) {
  const auto query = question("web.service.consul");
  keep(query, replied(query, addresses(1)));
  EXPECT_FALSE(ask(question("WEB.service.consul"))) << "the case is kept as asked";
  EXPECT_FALSE(ask(question("web.service.consul", Type::aaaa)));
  EXPECT_FALSE(ask(question("web.service.consul", Type::a, false)));
  auto other = query;
  other.header.checking_disabled = true;
  EXPECT_FALSE(ask(other));
}

TEST_F(ReplyCacheTest, ForgetsWhenItIsTimeAndWhenTold) {
  const auto query = question("web.service.consul");
  Repeat repeat;
  repeat.until = now + std::chrono::seconds(1);
  keep(query, replied(query, addresses(1)), repeat);
  EXPECT_TRUE(ask(query, repeat.until - std::chrono::nanoseconds(1)));
  EXPECT_FALSE(ask(query, repeat.until));
  keep(query, replied(query, addresses(2)));
  EXPECT_EQ(ask(query)->answers.size(), 2U) << "a new reply takes the old one's place";
  cache_.forget();
  EXPECT_FALSE(ask(query));
}

TEST_F(ReplyCacheTest, EveryOrderOfAddressesComesAsOften) {
  const auto query = question("web.service.consul");
  const auto reply = replied(query, addresses(3));
  keep(query, reply, *may_repeat(query, reply));
  std::map<std::string, int> orders;
  constexpr int rounds = 6000;
  for (int i = 0; i < rounds; ++i) {
    std::string order;
    const auto answered = ask(query);
    for (const auto& one : answered->answers) order += std::to_string(std::get<Ipv4>(one.data).bytes[3]);
    ++orders[order];
  }
  EXPECT_EQ(orders.size(), 6U);
  for (const auto& [order, count] : orders) EXPECT_NEAR(count, rounds / 6, 150) << order;
}

TEST_F(ReplyCacheTest, HoldsTenThousandNames) {
  constexpr int names = 10'000;
  const auto nth = [](int i) { return question("name" + std::to_string(i) + ".service.consul"); };
  for (int i = 0; i < names; ++i) keep(nth(i), replied(nth(i), {}));
  int found = 0;
  for (int i = 0; i < names; ++i) found += ask(nth(i)) ? 1 : 0;
  EXPECT_GT(found, names * 9 / 10);
}

TEST_F(ReplyCacheTest, TakesNoBytesForAQuestionThatAreNone) {
  const auto query = question("web.service.consul");
  const auto bytes = encode(query);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto part = Bytes(bytes).first(size);
    cache_.keep(part, bytes, Source::registry, {});
    const auto hit = cache_.find(part, now, random_, out_);
    EXPECT_TRUE(!hit || hit->name == query.questions[0].name.wire()) << size;
  }
  keep(question(std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c')),
       replied(query, addresses(40)));  // longer than a slot
}

}  // namespace
}  // namespace devstack::dns
