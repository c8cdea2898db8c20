#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/dns/exchange.h"
#include "core/dns/node_meta.h"
#include "core/dns/recursors.h"
#include "core/dns/server.h"
#include "tests/support/temp_dir.h"

namespace devstack::dns {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> texts(const std::vector<Endpoint>& endpoints) {
  std::vector<std::string> out;
  for (const auto& endpoint : endpoints) out.push_back(to_text(endpoint));
  return out;
}

TEST(DnsOptions, ErrorsNameWhatIsWrong) {
  DnsOptions options;
  options.domains = {"consul", "a..b"};
  EXPECT_THAT(answer_options(options).error().message, HasSubstr("a..b"));
  options.domains = {};
  EXPECT_FALSE(answer_options(options));
  options.domains = {"consul"};
  options.records = {{"x.test", {"10.0.0.1", "other.test"}}};
  EXPECT_THAT(answer_options(options).error().message, HasSubstr("x.test"));
}

TEST(Recursors, ReadsWhatPeopleWrite) {
  EXPECT_EQ(to_text(parse_recursor("10.0.0.1").value()), "10.0.0.1:53");
  EXPECT_EQ(to_text(parse_recursor("10.0.0.1:5353").value()), "10.0.0.1:5353");
  EXPECT_EQ(to_text(parse_recursor("fd00::1").value()), "[fd00::1]:53");
  EXPECT_EQ(to_text(parse_recursor("[fd00::1]:5353").value()), "[fd00::1]:5353");
  EXPECT_EQ(to_text(parse_recursor("[fd00::1]").value()), "[fd00::1]:53");
  for (const char* bad :
       {"", "dns.example", "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:99999", "[fd00::1", "[fd00::1]:", "[]"}) {
    EXPECT_FALSE(parse_recursor(bad)) << bad;
  }
}

TEST(Recursors, ReadsResolvConf) {
  EXPECT_THAT(texts(parse_resolv_conf("# hi\nsearch lan\nnameserver 10.0.0.1\n  nameserver\t10.0.0.2  # x\n"
                                      "nameserver 10.0.0.1\nnameserver nonsense\noptions edns0\nnameserver fd00::1")),
              ElementsAre("10.0.0.1:53", "10.0.0.2:53", "[fd00::1]:53"));
  EXPECT_THAT(parse_resolv_conf(""), IsEmpty());
}

TEST(Recursors, AutoReadsTheFirstFileThereIsAndLeavesOutOurselves) {
  const test::TempDir dir;
  const auto stub = dir.write("resolv.conf", "nameserver 127.0.0.53\n");
  const auto none = [](const Endpoint&) { return false; };
  auto recursors = Recursors::parse({"auto", "192.0.2.1"}, {dir.file("upstreams"), stub}).value();
  EXPECT_TRUE(recursors.configured());
  EXPECT_THAT(texts(recursors.current(none)), ElementsAre("192.0.2.1:53", "127.0.0.53:53"));

  const auto upstreams = dir.write("upstreams", "nameserver 10.0.0.1\nnameserver 172.17.0.1\n");
  auto real = Recursors::parse({"auto"}, {upstreams, stub}).value();
  const auto own = [](const Endpoint& one) { return to_text(one) == "172.17.0.1:53"; };
  EXPECT_THAT(texts(real.current(own)), ElementsAre("10.0.0.1:53"));
}

TEST(Recursors, AutoWithoutFilesIsConfiguredButKnowsNobody) {
  auto recursors = Recursors::parse({"auto"}, {"/no/such/file"}).value();
  EXPECT_TRUE(recursors.configured());
  EXPECT_THAT(recursors.current([](const Endpoint&) { return false; }), IsEmpty());
  EXPECT_FALSE(Recursors::parse({}, {}).value().configured());
}

TEST(DomainServers, LongestDomainWins) {
  const auto servers = DomainServers::parse({{"corp.example", {"10.0.0.1", "10.0.0.2:5353", "10.0.0.1:53"}},
                                             {"lab.Corp.example.", {"10.0.0.3"}},
                                             {"secret.example", {}}})
                           .value();
  const auto of = [&](std::string_view name) { return servers.find(Name::parse(name).value()); };
  EXPECT_THAT(texts(*of("www.CORP.example")), ElementsAre("10.0.0.1:53", "10.0.0.2:5353"));
  EXPECT_THAT(texts(*of("corp.example")), ElementsAre("10.0.0.1:53", "10.0.0.2:5353"));
  EXPECT_THAT(texts(*of("a.b.lab.corp.example")), ElementsAre("10.0.0.3:53"));
  EXPECT_THAT(*of("x.secret.example"), IsEmpty());
  EXPECT_EQ(of("notcorp.example"), nullptr);
  EXPECT_EQ(of("."), nullptr);
  EXPECT_TRUE(DomainServers().empty());
}

TEST(DomainServers, RootIsEverything) {
  const auto servers = DomainServers::parse({{".", {"10.0.0.1"}}}).value();
  EXPECT_NE(servers.find(Name::parse("www.example").value()), nullptr);
  EXPECT_NE(servers.find(Name()), nullptr);
}

TEST(DomainServers, ErrorsNameWhatIsWrong) {
  EXPECT_THAT(DomainServers::parse({{"a..b", {}}}).error().message, HasSubstr("a..b"));
  EXPECT_THAT(DomainServers::parse({{"a.b", {"dns.example"}}}).error().message, HasSubstr("dns.example"));
}

TEST(NodeMeta, FollowsRfc1464) {
  EXPECT_THAT(node_meta_txt("key", "value").strings, ElementsAre("key=value"));
  EXPECT_THAT(node_meta_txt("a=b`c", "d=e`f").strings, ElementsAre("a`=b``c=d=e``f"));
  EXPECT_THAT(node_meta_txt("  k y ", "v ").strings, ElementsAre("` ` k y` =v "));
  EXPECT_THAT(node_meta_txt("RFC1035-x", "as=is`").strings, ElementsAre("as=is`"));
  EXPECT_THAT(node_meta_txt("rfc1035-", "").strings, ElementsAre(""));
  EXPECT_THAT(node_meta_txt("k", std::string(300, 'v')).strings,
              ElementsAre("k=" + std::string(253, 'v'), std::string(47, 'v')));
}

TEST(DnsExchange, TakesOnlyTheReplyToItsQuestion) {
  Message query;
  query.header.id = 9;
  query.questions.push_back({Name::parse("a.example").value(), Type::a, class_in});
  Message reply = query;
  reply.header.response = true;
  EXPECT_TRUE(answers(encode(reply), encode(query)));
  EXPECT_FALSE(answers(encode(query), encode(query))) << "an echo is no reply";
  Message other = reply;
  other.header.id = 10;
  EXPECT_FALSE(answers(encode(other), encode(query)));
  other = reply;
  other.questions[0].name = Name::parse("b.example").value();
  EXPECT_FALSE(answers(encode(other), encode(query)));
  other = reply;
  other.questions[0].name = Name::parse("A.EXAMPLE").value();
  EXPECT_TRUE(answers(encode(other), encode(query)));
  other.questions[0].type = static_cast<Type>(65);
  auto lookalike = query;
  lookalike.questions[0].type = static_cast<Type>(97);  // "a", where 65 is "A"
  EXPECT_FALSE(answers(encode(other), encode(lookalike))) << "numbers have no case";
  other = reply;
  other.questions.clear();
  EXPECT_FALSE(answers(encode(other), encode(query)));
  other.header.rcode = Rcode::formerr;
  EXPECT_TRUE(answers(encode(other), encode(query))) << "it could not read the question";
}

}  // namespace
}  // namespace devstack::dns
