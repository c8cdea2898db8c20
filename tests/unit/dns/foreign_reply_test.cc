#include "core/dns/foreign_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/dns/foreign.h"

namespace devstack::dns {
namespace {

using std::chrono::seconds;
using testing::IsEmpty;
using testing::SizeIs;
using namespace test;  // NOLINT(google-build-using-namespace)

TEST(ForeignReply, LivesAsLongAsItsShortestRecord) {
  auto message = reply();
  message.answers = {alias("www.test", 300, "a.test"), address("a.test", 60)};
  message.additional = {address("ns.test", 90)};
  EXPECT_EQ(foreign(message)->lifetime, seconds(60));
  message.additional[0].ttl = 5;
  EXPECT_EQ(foreign(message)->lifetime, seconds(5));
  message.answers = {address("www.test", 1'000'000)};
  message.additional.clear();
  EXPECT_EQ(foreign(message)->lifetime, longest_life);
  message.answers[0].ttl = 0x80000000;
  EXPECT_EQ(foreign(message)->lifetime, seconds(0)) << "RFC 2181: the top bit means 0";
}

TEST(ForeignReply, DenialLivesByItsSoaAndNotWithoutOne) {
  auto message = reply();
  message.header.rcode = Rcode::nxdomain;
  EXPECT_EQ(foreign(message)->lifetime, seconds(0));
  EXPECT_TRUE(foreign(message)->denial);
  message.authority = {soa("test", 600, 120)};
  EXPECT_EQ(foreign(message)->lifetime, seconds(120));
  message.authority = {soa("test", 30, 120)};
  EXPECT_EQ(foreign(message)->lifetime, seconds(30));
  message.authority = {soa("test", 86400, 86400)};
  EXPECT_EQ(foreign(message)->lifetime, longest_denial);
}

TEST(ForeignReply, AliasWithoutTheTypeAskedForIsADenial) {
  auto message = reply("www.test", Type::aaaa);
  message.answers = {alias("www.test", 20, "a.test")};
  EXPECT_TRUE(foreign(message)->denial);
  EXPECT_EQ(foreign(message)->lifetime, seconds(0));
  message.authority = {soa("test", 600, 600)};
  EXPECT_EQ(foreign(message)->lifetime, seconds(20));
  auto direct = reply("www.test", Type::cname);
  direct.answers = message.answers;
  EXPECT_FALSE(foreign(direct)->denial);
}

TEST(ForeignReply, WhatIsTruncatedOrAFailureIsNotKept) {
  auto message = reply();
  message.answers = {address("www.test", 60)};
  message.header.truncated = true;
  EXPECT_EQ(foreign(message)->lifetime, seconds(0));
  message.header.truncated = false;
  message.header.rcode = Rcode::servfail;
  EXPECT_EQ(foreign(message)->lifetime, seconds(0));
}

TEST(ForeignReply, RefusesWhatIsNoReplyToOneQuestion) {
  EXPECT_FALSE(read_foreign({1, 2, 3}));
  auto message = reply();
  message.header.response = false;
  EXPECT_FALSE(read_foreign(encode(message)));
  message = reply();
  message.questions.clear();
  EXPECT_FALSE(read_foreign(encode(message)));
  message = reply();
  message.edns.emplace().extended_rcode = 1;
  EXPECT_FALSE(read_foreign(encode(message)));
}

TEST(ForeignReply, IsWrittenForTheOneWhoAsks) {
  auto message = reply();
  message.answers = {address("www.test", 60)};
  message.header.authentic_data = true;
  message.edns.emplace().options = std::string("\0\3\0\1x", 5);
  const auto kept = foreign(message);
  auto who = asker("WwW.tEsT");
  auto got = written(*kept, who, {10, false});
  EXPECT_EQ(got.header.id, 7);
  EXPECT_EQ(got.questions[0].name.to_text(), "WwW.tEsT.");
  EXPECT_EQ(to_text(got.answers.at(0)), "WwW.tEsT. 50 IN A 10.0.0.1") << "compressed to the question";
  EXPECT_TRUE(got.header.recursion_available);
  EXPECT_FALSE(got.header.authoritative);
  EXPECT_FALSE(got.header.authentic_data) << "it did not ask for it";
  EXPECT_FALSE(got.edns);
  who.edns = who.dnssec_ok = who.wants_authentic = true;
  got = written(*kept, who);
  EXPECT_TRUE(got.header.authentic_data);
  ASSERT_TRUE(got.edns);
  EXPECT_EQ(got.edns->flags, 0x8000);
  EXPECT_THAT(got.edns->options, IsEmpty()) << "the upstream's options are between it and us";
}

TEST(ForeignReply, TtlsRunDownToZeroAndStaleOnesAreShort) {
  auto message = reply();
  message.answers = {address("www.test", 60), address("www.test", 20, 2)};
  const auto kept = foreign(message);
  auto got = written(*kept, asker("www.test"), {30, false});
  EXPECT_EQ(got.answers[0].ttl, 30U);
  EXPECT_EQ(got.answers[1].ttl, 0U);
  got = written(*kept, asker("www.test"), {5000, true});
  EXPECT_EQ(got.answers[0].ttl, stale_ttl);
  EXPECT_EQ(got.answers[1].ttl, stale_ttl);
}

TEST(ForeignReply, KeepsRecordsItDoesNotKnow) {
  auto message = reply("www.test", static_cast<Type>(65));
  const std::string bytes("\0\1\0\0\1\0\3\2h2", 10);
  message.answers = {{name("www.test"), static_cast<Type>(65), class_in, 60, Opaque{bytes}}};
  const auto got = written(*foreign(message), asker("www.test", static_cast<Type>(65)));
  EXPECT_EQ(std::get<Opaque>(got.answers.at(0).data).bytes, bytes);
}

TEST(ForeignReply, IsCutToWhatTheClientReceives) {
  auto message = reply();
  for (int i = 0; i < 25; ++i) message.answers.push_back(address("www.test", 60, static_cast<std::uint8_t>(i)));
  for (int i = 0; i < 10; ++i) message.additional.push_back(address("ns.test", 60, static_cast<std::uint8_t>(i)));
  auto who = asker("www.test");
  auto got = written(*foreign(message), who);
  EXPECT_THAT(got.answers, SizeIs(25));
  EXPECT_THAT(got.additional, IsEmpty()) << "what is additional is not missed";
  EXPECT_FALSE(got.header.truncated);

  for (int i = 0; i < 25; ++i) message.answers.push_back(address("www.test", 60, static_cast<std::uint8_t>(i + 25)));
  got = written(*foreign(message), who);
  EXPECT_TRUE(got.header.truncated);
  EXPECT_THAT(got.answers, SizeIs((512 - 12 - 14) / 16)) << "as many as fit, for clients without TCP";
  who.edns = true;
  who.udp_bytes = 1232;
  got = written(*foreign(message), who);
  EXPECT_FALSE(got.header.truncated);
  EXPECT_THAT(got.answers, SizeIs(50));
  EXPECT_THAT(got.additional, SizeIs(10));
  who = asker("www.test");
  who.transport = net::Transport::tcp;
  EXPECT_THAT(written(*foreign(message), who).additional, SizeIs(10));
}

TEST(ForeignReply, DenialWithoutItsSoaIsTruncated) {
  auto message = reply();
  message.header.rcode = Rcode::nxdomain;
  message.authority = {soa("test", 60, 60)};
  for (int i = 0; i < 10; ++i) {
    message.authority.push_back({name("test"), Type::txt, class_in, 60, Txt{{std::string(100, 'x')}}});
  }
  const auto got = written(*foreign(message), asker("www.test"));
  EXPECT_TRUE(got.header.truncated);
  EXPECT_EQ(got.header.rcode, Rcode::nxdomain);
}

TEST(ForeignReply, WhatFollowsTheOptIsLeftOutWithIt) {
  auto message = reply();
  message.answers = {address("www.test", 60)};
  message.edns.emplace();
  auto bytes = encode(message);
  // One more additional record behind the OPT: root, A, IN.
  const std::vector<std::uint8_t> more{0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 1, 2, 3, 4};
  bytes.insert(bytes.end(), more.begin(), more.end());
  bytes[11] = 2;
  const auto got = written(**read_foreign(bytes), asker("www.test"));
  EXPECT_THAT(got.answers, SizeIs(1));
  EXPECT_THAT(got.additional, IsEmpty());
}

TEST(Asker, IsWhatTheAnswerDependsOn) {
  auto upper = asker("WWW.Test");
  auto lower = asker("www.test");
  EXPECT_EQ(cache_key(upper), cache_key(lower));
  lower.udp_bytes = 4096;
  lower.transport = net::Transport::tcp;
  EXPECT_EQ(cache_key(upper), cache_key(lower));
  lower.dnssec_ok = true;
  EXPECT_NE(cache_key(upper), cache_key(lower));
  EXPECT_NE(cache_key(asker("www.test", Type::aaaa)), cache_key(asker("www.test", Type::a)));
  // 65 and 97 are "A" and "a": numbers have no case.
  EXPECT_NE(cache_key(asker("www.test", static_cast<Type>(65))), cache_key(asker("www.test", static_cast<Type>(97))));
}

TEST(Asker, LeavesOutQuestionsThatGoAsTheyCame) {
  Message query;
  query.header.recursion_desired = true;
  query.questions.push_back({name("www.test"), Type::a, class_in});
  query.edns.emplace();
  query.edns->options = std::string("\0\3\0\0", 4);  // NSID
  EXPECT_TRUE(asker_of(query, net::Transport::udp));
  query.edns->options += std::string("\0\10\0\4\0\1\0\0", 8);  // a client subnet
  EXPECT_FALSE(asker_of(query, net::Transport::udp));
  query.edns.reset();
  query.header.recursion_desired = false;
  EXPECT_FALSE(asker_of(query, net::Transport::udp));
  query.header.recursion_desired = true;
  query.header.opcode = Opcode::notify;
  EXPECT_FALSE(asker_of(query, net::Transport::udp));
}

TEST(Asker, VariesTheCaseOfLettersOnly) {
  auto query = upstream_query(asker("ab1.Test"), 1, WithEdns::yes);
  const auto plain = query;
  const std::array<std::uint8_t, 1> random{0b00000101};
  randomise_case(query, random);
  EXPECT_EQ(decode(query)->questions[0].name.to_text(), "Ab1.Test.");
  EXPECT_FALSE(same_case(plain, query));
  EXPECT_TRUE(same_case(query, query));
  const std::array<std::uint8_t, 1> all{0xff};
  randomise_case(query, all);
  EXPECT_EQ(decode(query)->questions[0].name.to_text(), "AB1.TEST.");
}

}  // namespace
}  // namespace devstack::dns
