#include "core/dns/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/dns/codec.h"
#include "core/dns/server.h"
#include "tests/unit/dns/catalog.h"

namespace devstack::dns {
namespace {

using test_support::Ask;
using test_support::ask;
using test_support::ask_all;
using test_support::Catalog;
using test_support::lines;
using test_support::question;
using test_support::text_options;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr const char* soa = "consul. 0 IN SOA ns.consul. hostmaster.consul. 1700000000 3600 600 86400 0";

Catalog shop() {
  Catalog catalog;
  catalog.service("web", "10.0.0.1", 80, {"v1", "Primary"}).service("web", "10.0.0.2", 81, {"v2", "pri.mary"});
  catalog.service("bare", "", 99);
  catalog.service("six", "fd00::1", 6);
  catalog.service("outside", "db.example.com", 5432);
  catalog.service("inside", "web.service.consul", 80);
  return catalog;
}

TEST(DnsAnswer, ServiceAddresses) {
  const auto catalog = shop();
  const auto reply = ask(catalog, "web.service.consul", Type::a);
  EXPECT_EQ(reply.header.id, 77);
  EXPECT_TRUE(reply.header.response && reply.header.authoritative && reply.header.recursion_desired);
  EXPECT_FALSE(reply.header.recursion_available || reply.header.truncated);
  EXPECT_THAT(lines(reply.answers),
              UnorderedElementsAre("web.service.consul. 0 IN A 10.0.0.1", "web.service.consul. 0 IN A 10.0.0.2"));
  EXPECT_THAT(reply.authority, IsEmpty());
  EXPECT_THAT(reply.additional, IsEmpty());
}

TEST(DnsAnswer, EveryFormOfAServiceName) {
  const auto catalog = shop();
  struct Case {
    const char* name;
    Type type;
    std::size_t answers;
    Rcode rcode;
  };
  const std::vector<Case> cases{
      {"web.service.dc1.consul", Type::a, 2, Rcode::noerror},
      {"WEB.Service.DC1.Consul", Type::a, 2, Rcode::noerror},
      {"v1.web.service.consul", Type::a, 1, Rcode::noerror},
      {"primary.web.service.consul", Type::a, 1, Rcode::noerror},
      {"pri.mary.web.service.consul", Type::a, 1, Rcode::noerror},
      {"v9.web.service.consul", Type::a, 0, Rcode::nxdomain},
      {"_web._tcp.service.consul", Type::srv, 2, Rcode::noerror},
      {"_web._v2.service.consul", Type::srv, 1, Rcode::noerror},
      {"_web._udp.service.consul", Type::srv, 0, Rcode::nxdomain},
      {"_web._tcp.consul", Type::srv, 2, Rcode::noerror},
      {"_web._tcp.dc1.consul", Type::srv, 2, Rcode::noerror},
      {"_web._tcp.consul", Type::a, 0, Rcode::nxdomain},
      {"_web._tcp.service.consul", Type::a, 2, Rcode::noerror},
      {"web.service.dc9.consul", Type::a, 0, Rcode::nxdomain},
      {"web.service.a.dc1.consul", Type::a, 0, Rcode::nxdomain},
      {"nosuch.service.consul", Type::a, 0, Rcode::nxdomain},
      {"service.consul", Type::a, 0, Rcode::nxdomain},
      {"consul", Type::any, 0, Rcode::nxdomain},
      {"web.consul", Type::a, 0, Rcode::nxdomain},
      {"web.connect.consul", Type::a, 0, Rcode::nxdomain},
      {"web.query.consul", Type::a, 0, Rcode::nxdomain},
      // NAME.ZONE in the zones after the first, Consul's forms as well
      {"web.test", Type::a, 2, Rcode::noerror},
      {"v1.web.test", Type::a, 1, Rcode::noerror},
      {"_web._tcp.test", Type::srv, 2, Rcode::noerror},
      {"web.service.test", Type::a, 2, Rcode::noerror},
      {"nosuch.test", Type::a, 0, Rcode::nxdomain},
      {"test", Type::a, 0, Rcode::nxdomain},
  };
  for (const auto& c : cases) {
    const auto reply = ask(catalog, c.name, c.type);
    EXPECT_EQ(reply.answers.size(), c.answers) << c.name;
    EXPECT_EQ(reply.header.rcode, c.rcode) << c.name;
    EXPECT_EQ(reply.authority.size(), c.rcode == Rcode::nxdomain ? 1U : 0U) << c.name;
    EXPECT_TRUE(reply.header.authoritative) << c.name;
  }
}

TEST(DnsAnswer, ServicesMayBeNamedLikeKeywords) {
  Catalog catalog;
  catalog.service("node", "10.0.0.3", 1, {"service"});
  EXPECT_THAT(ask(catalog, "service.node.service.consul", Type::a).answers, SizeIs(1));
  EXPECT_THAT(ask(catalog, "node.test", Type::a).answers, SizeIs(1));
}

TEST(DnsAnswer, EchoesTheNameAsAsked) {
  const auto reply = ask(shop(), "wEb.sErvice.CONSUL", Type::a);
  EXPECT_EQ(reply.questions[0].name.to_text(), "wEb.sErvice.CONSUL.");
  EXPECT_EQ(reply.answers[0].name.to_text(), "wEb.sErvice.CONSUL.");
}

TEST(DnsAnswer, TypesThatAServiceDoesNotHave) {
  const auto catalog = shop();
  for (const auto& [name, type] : std::vector<std::pair<const char*, Type>>{{"web.service.consul", Type::aaaa},
                                                                            {"six.service.consul", Type::a},
                                                                            {"web.service.consul", Type::mx},
                                                                            {"web.service.consul", Type::txt},
                                                                            {"web.service.consul", Type::cname}}) {
    const auto reply = ask(catalog, name, type);
    EXPECT_EQ(reply.header.rcode, Rcode::noerror) << name;
    EXPECT_THAT(reply.answers, IsEmpty()) << name;
    EXPECT_THAT(lines(reply.authority), ElementsAre(soa)) << name;
  }
  EXPECT_THAT(lines(ask(catalog, "six.service.consul", Type::any).answers),
              ElementsAre("six.service.consul. 0 IN AAAA fd00::1"));
}

TEST(DnsAnswer, SrvNamesTheAddressOrTheNode) {
  const auto catalog = shop();
  auto reply = ask(catalog, "v1.web.service.consul", Type::srv);
  EXPECT_THAT(lines(reply.answers), ElementsAre("v1.web.service.consul. 0 IN SRV 1 1 80 0a000001.addr.dc1.consul."));
  EXPECT_THAT(lines(reply.additional),
              ElementsAre("0a000001.addr.dc1.consul. 0 IN A 10.0.0.1", "n1.node.dc1.consul. 0 IN TXT \"rack=r1\""));
  reply = ask(catalog, "bare.service.consul", Type::srv);
  EXPECT_THAT(lines(reply.answers), ElementsAre("bare.service.consul. 0 IN SRV 1 1 99 n1.node.dc1.consul."));
  EXPECT_THAT(lines(reply.additional),
              ElementsAre("n1.node.dc1.consul. 0 IN A 127.0.0.1", "n1.node.dc1.consul. 0 IN TXT \"rack=r1\""));
  reply = ask(catalog, "six.service.test", Type::srv);
  EXPECT_THAT(lines(reply.answers),
              ElementsAre("six.service.test. 0 IN SRV 1 1 6 fd000000000000000000000000000001.addr.dc1.consul."));
  reply = ask(catalog, "outside.service.consul", Type::srv);
  EXPECT_THAT(lines(reply.answers), ElementsAre("outside.service.consul. 0 IN SRV 1 1 5432 db.example.com."));
}

TEST(DnsAnswer, HealthDecidesWhoIsAnswered) {
  Catalog catalog;
  catalog.service("s", "10.0.0.1", 1, {}, "passing", {5, 2})
      .service("s", "10.0.0.2", 1, {}, "warning", {5, 2})
      .service("s", "10.0.0.3", 1, {}, "critical", {5, 2})
      .service("s", "10.0.0.4", 1, {}, "", {5, 2});
  EXPECT_THAT(lines(ask(catalog, "s.service.consul", Type::srv).answers),
              UnorderedElementsAre("s.service.consul. 0 IN SRV 1 5 1 0a000001.addr.dc1.consul.",
                                   "s.service.consul. 0 IN SRV 1 2 1 0a000002.addr.dc1.consul.",
                                   "s.service.consul. 0 IN SRV 1 5 1 0a000004.addr.dc1.consul."));
  DnsOptions strict;
  strict.only_passing = true;
  EXPECT_THAT(lines(ask(catalog, "s.service.consul", Type::a, {}, strict).answers),
              UnorderedElementsAre("s.service.consul. 0 IN A 10.0.0.1", "s.service.consul. 0 IN A 10.0.0.4"));
  catalog.node_check("critical");
  EXPECT_EQ(ask(catalog, "s.service.consul", Type::a).header.rcode, Rcode::nxdomain);
  EXPECT_THAT(ask(catalog, "n1.node.consul", Type::a).answers, SizeIs(1)) << "a node answers whatever its health";
}

TEST(DnsAnswer, Aliases) {
  auto catalog = shop();
  EXPECT_THAT(lines(ask(catalog, "outside.service.consul", Type::a).answers),
              ElementsAre("outside.service.consul. 0 IN CNAME db.example.com."));
  EXPECT_THAT(lines(ask(catalog, "inside.service.consul", Type::a).answers),
              testing::AllOf(SizeIs(3), testing::Contains("web.service.consul. 0 IN A 10.0.0.1"),
                             testing::Contains("inside.service.consul. 0 IN CNAME web.service.consul.")));
  EXPECT_THAT(ask(catalog, "inside.service.consul", Type::aaaa).answers, SizeIs(3)) << "Consul's: both, for any type";
  EXPECT_THAT(lines(ask(catalog, "inside.service.consul", Type::txt).answers),
              ElementsAre("inside.service.consul. 0 IN CNAME web.service.consul."))
      << "but no address for TXT";
  EXPECT_THAT(lines(ask(catalog, "outside.service.consul", Type::mx).answers),
              ElementsAre("outside.service.consul. 0 IN CNAME db.example.com."));
  catalog.service("web2", "other.example.com", 1).service("web2", "10.0.0.9", 1);
  EXPECT_THAT(lines(ask(catalog, "web2.service.consul", Type::a).answers),
              ElementsAre("web2.service.consul. 0 IN A 10.0.0.9"));
}

TEST(DnsAnswer, AliasLoopsEnd) {
  Catalog catalog;
  catalog.service("a", "b.service.consul", 1).service("b", "a.service.consul", 1);
  EXPECT_THAT(ask(catalog, "a.service.consul", Type::a, {net::Transport::tcp}).answers, SizeIs(4));
  catalog.service("self", "self.service.consul", 1);
  EXPECT_THAT(lines(ask(catalog, "self.service.consul", Type::a).answers),
              ElementsAre("self.service.consul. 0 IN A 127.0.0.1"));
}

TEST(DnsAnswer, OutsideAliasIsForRecursors) {
  DnsOptions options;
  options.recursors = {"192.0.2.1"};
  const auto made = ask_all(shop(), "outside.service.consul", Type::a, {}, options);
  EXPECT_EQ(made.forward, Answer::Forward::alias);
  EXPECT_TRUE(made.message.header.recursion_available);
  EXPECT_EQ(ask_all(shop(), "inside.service.consul", Type::aaaa, {}, options).forward, Answer::Forward::no);

  Message upstream;
  upstream.answers.push_back({Name::parse("db.example.com").value(), Type::a, class_in, 300, Ipv4{{9, 9, 9, 9}}});
  const auto completed = [&](Type type) {
    auto answer = ask_all(shop(), "outside.service.consul", type, {}, options);
    EXPECT_THAT(answer.outside,
                ElementsAre(testing::Field(&Answer::Outside::name, Name::parse("db.example.com").value())));
    for (auto& outside : answer.outside) outside.said = upstream;
    const Message query = question("outside.service.consul", type);
    complete(answer, Query{query}, answer_options(options).value());
    return answer.message;
  };
  EXPECT_THAT(lines(completed(Type::a).answers),
              ElementsAre("outside.service.consul. 0 IN CNAME db.example.com.", "db.example.com. 0 IN A 9.9.9.9"));
  EXPECT_THAT(lines(completed(Type::srv).answers),
              ElementsAre("outside.service.consul. 0 IN SRV 1 1 5432 db.example.com."));
  EXPECT_THAT(lines(completed(Type::srv).additional),
              ElementsAre("n1.node.dc1.consul. 0 IN TXT \"rack=r1\"", "db.example.com. 0 IN A 9.9.9.9"));
}

TEST(DnsAnswer, ANodesOutsideAliasKeepsTheTtlOfOthers) {
  DnsOptions options;
  options.recursors = {"192.0.2.1"};
  Catalog catalog;
  catalog.node("alias", "www.example.org");
  auto answer = ask_all(catalog, "alias.node.consul", Type::a, {}, options);
  ASSERT_THAT(answer.outside, SizeIs(1));
  answer.outside[0].said.emplace().answers.push_back(
      {answer.outside[0].name, Type::a, class_in, 300, Ipv4{{9, 9, 9, 9}}});
  const Message query = question("alias.node.consul", Type::a);
  complete(answer, Query{query}, answer_options(options).value());
  EXPECT_THAT(lines(answer.message.answers),
              ElementsAre("alias.node.consul. 0 IN CNAME www.example.org.", "www.example.org. 300 IN A 9.9.9.9"));
}

TEST(DnsAnswer, Nodes) {
  Catalog catalog;
  catalog.node("n.with.dots", "10.1.0.1", {{"rfc1035-note", "plain"}, {"a=b", "c`d"}}).node("alias", "www.example.org");
  EXPECT_THAT(lines(ask(catalog, "n1.node.dc1.consul", Type::a).answers),
              ElementsAre("n1.node.dc1.consul. 0 IN A 127.0.0.1"));
  EXPECT_THAT(lines(ask(catalog, "n1.node.consul", Type::a).additional),
              ElementsAre("n1.node.consul. 0 IN TXT \"rack=r1\""));
  EXPECT_THAT(lines(ask(catalog, "N.with.dots.node.consul", Type::txt).answers),
              UnorderedElementsAre("N.with.dots.node.consul. 0 IN TXT \"plain\"",
                                   "N.with.dots.node.consul. 0 IN TXT \"a`=b=c``d\""));
  EXPECT_THAT(ask(catalog, "n1.node.consul", Type::any).answers, SizeIs(2));
  EXPECT_THAT(lines(ask(catalog, "alias.node.consul", Type::a).answers),
              ElementsAre("alias.node.consul. 0 IN CNAME www.example.org."));
  const auto no_data = ask(catalog, "n1.node.consul", Type::aaaa);
  EXPECT_EQ(no_data.header.rcode, Rcode::noerror);
  EXPECT_THAT(no_data.authority, IsEmpty());
  EXPECT_EQ(ask(catalog, "nosuch.node.consul", Type::a).header.rcode, Rcode::nxdomain);
  EXPECT_EQ(ask(catalog, "nosuch.node.consul", Type::srv).header.rcode, Rcode::noerror);
  EXPECT_EQ(ask(catalog, "n1.node.dc2.consul", Type::a).header.rcode, Rcode::nxdomain);
}

TEST(DnsAnswer, AddressesWrittenAsNames) {
  const Catalog catalog;
  EXPECT_THAT(lines(ask(catalog, "0A000001.addr.dc1.consul", Type::aaaa).answers),
              ElementsAre("0a000001.addr.dc1.consul. 0 IN A 10.0.0.1"));
  EXPECT_THAT(lines(ask(catalog, "fd000000000000000000000000000001.addr.any.where.consul", Type::aaaa).answers),
              ElementsAre("fd000000000000000000000000000001.addr.any.where.consul. 0 IN AAAA fd00::1"));
  EXPECT_EQ(ask(catalog, "0a00000g.addr.consul", Type::a).header.rcode, Rcode::nxdomain);
  const auto odd = ask(catalog, "0a.addr.consul", Type::a);
  EXPECT_EQ(odd.header.rcode, Rcode::noerror);
  EXPECT_THAT(odd.authority, IsEmpty());
}

TEST(DnsAnswer, ReverseNames) {
  auto catalog = shop();
  const auto ptr = [&](std::string_view name) { return lines(ask(catalog, name, Type::ptr).answers); };
  EXPECT_THAT(ptr("1.0.0.127.in-addr.arpa"), ElementsAre("1.0.0.127.in-addr.arpa. 0 IN PTR n1.node.dc1.consul."));
  EXPECT_THAT(ptr("1.0.0.10.IN-ADDR.ARPA"), ElementsAre("1.0.0.10.IN-ADDR.ARPA. 0 IN PTR web.service.dc1.consul."));
  EXPECT_THAT(ptr("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa"), SizeIs(1));
  for (const char* unknown :
       {"9.9.9.10.in-addr.arpa", "x.0.0.127.in-addr.arpa", "01.0.0.127.in-addr.arpa", "0.0.127.in-addr.arpa", "arpa"}) {
    const auto reply = ask(catalog, unknown, Type::ptr);
    EXPECT_EQ(reply.header.rcode, Rcode::servfail) << unknown;
    EXPECT_TRUE(reply.header.recursion_available) << unknown;
    EXPECT_FALSE(reply.header.authoritative) << unknown;
  }
  DnsOptions options;
  options.recursors = {"192.0.2.1"};
  EXPECT_EQ(ask_all(catalog, "9.9.9.10.in-addr.arpa", Type::ptr, {}, options).forward, Answer::Forward::whole);
}

TEST(DnsAnswer, SoaAndNsForAnyNameOfTheZone) {
  Catalog catalog;
  catalog.service("consul", "", 8300);
  for (const char* name : {"consul", "nosuch.service.consul"}) {
    const auto reply = ask(catalog, name, Type::soa);
    EXPECT_THAT(lines(reply.answers), ElementsAre(soa));
    EXPECT_THAT(lines(reply.authority), ElementsAre("consul. 0 IN NS n1.node.dc1.consul."));
    EXPECT_THAT(lines(reply.additional), ElementsAre("n1.node.dc1.consul. 0 IN A 127.0.0.1"));
  }
  EXPECT_THAT(lines(ask(catalog, "test", Type::ns).answers), ElementsAre("test. 0 IN NS n1.node.dc1.consul."));
  EXPECT_EQ(ask(catalog, "consul", Type::axfr).header.rcode, Rcode::notimp);
}

TEST(DnsAnswer, NamesOutsideOurZones) {
  auto made = ask_all(shop(), "example.com", Type::a, {net::Transport::udp, 1232});
  EXPECT_EQ(made.message.header.rcode, Rcode::refused);
  EXPECT_FALSE(made.message.header.authoritative || made.message.edns);
  EXPECT_EQ(made.forward, Answer::Forward::no);
  DnsOptions options;
  options.recursors = {"192.0.2.1"};
  made = ask_all(shop(), "example.com", Type::a, {net::Transport::udp, 1232}, options);
  EXPECT_EQ(made.forward, Answer::Forward::whole);
  EXPECT_EQ(made.message.header.rcode, Rcode::servfail);
  EXPECT_TRUE(made.message.header.recursion_available && made.message.edns);
  EXPECT_EQ(ask_all(shop(), "myconsul", Type::a, {}, options).forward, Answer::Forward::whole);
  EXPECT_EQ(ask_all(shop(), "web.service.consul", Type::ds, {}, options).forward, Answer::Forward::whole);
}

TEST(DnsAnswer, FixedRecords) {
  DnsOptions options = text_options();
  options.records = {{"Legacy.test", {"10.0.0.9", "fd00::9"}},
                     {"db.example.com", {"web.service.consul"}},
                     {"*.app.test", {"10.0.0.10"}}};
  const auto catalog = shop();
  const auto get = [&](std::string_view name, Type type) { return ask(catalog, name, type, {}, options); };
  EXPECT_THAT(lines(get("legacy.TEST", Type::a).answers), ElementsAre("legacy.TEST. 0 IN A 10.0.0.9"));
  EXPECT_THAT(get("legacy.test", Type::any).answers, SizeIs(2));
  EXPECT_THAT(lines(get("db.example.com", Type::a).answers),
              testing::AllOf(SizeIs(3), testing::Contains("db.example.com. 0 IN CNAME web.service.consul.")));
  EXPECT_THAT(get("a.b.app.test", Type::a).answers, SizeIs(1));
  EXPECT_EQ(get("app.test", Type::a).header.rcode, Rcode::nxdomain);
  const auto no_data = get("legacy.test", Type::mx);
  EXPECT_EQ(no_data.header.rcode, Rcode::noerror);
  EXPECT_THAT(no_data.authority, SizeIs(1));
}

TEST(DnsAnswer, TaggedAddressesOfTheLan) {
  Catalog catalog;
  catalog.tagged_service("t", "192.0.2.1", "lan_ipv4", "10.7.0.1");
  catalog.tagged_service("u", "192.0.2.1", "lan_ipv6", "fd00::7");
  EXPECT_THAT(lines(ask(catalog, "t.service.consul", Type::a).answers),
              ElementsAre("t.service.consul. 0 IN A 10.7.0.1"));
  EXPECT_THAT(lines(ask(catalog, "u.service.consul", Type::a).answers),
              ElementsAre("u.service.consul. 0 IN A 192.0.2.1"));
  EXPECT_THAT(lines(ask(catalog, "u.service.consul", Type::aaaa).answers),
              ElementsAre("u.service.consul. 0 IN AAAA fd00::7"));
  EXPECT_THAT(lines(ask(catalog, "u.service.consul", Type::any).answers),
              ElementsAre("u.service.consul. 0 IN AAAA fd00::7"));
}

TEST(DnsAnswer, TimesToLive) {
  DnsOptions options;
  options.node_ttl = std::chrono::seconds(7);
  options.service_ttl = {
      {"*", std::chrono::seconds(1)}, {"we*", std::chrono::seconds(2)}, {"web", std::chrono::seconds(3)}};
  auto catalog = shop();
  catalog.service("wet", "10.0.0.5", 1);
  const auto ttl = [&](std::string_view name, Type type) {
    return ask(catalog, name, type, {}, options).answers.at(0).ttl;
  };
  EXPECT_EQ(ttl("web.service.consul", Type::a), 3U);
  EXPECT_EQ(ttl("wet.service.consul", Type::srv), 2U);
  EXPECT_EQ(ttl("bare.service.consul", Type::a), 1U);
  EXPECT_EQ(ttl("n1.node.consul", Type::a), 7U);
  EXPECT_EQ(ttl("0a000001.addr.consul", Type::a), 7U);
  EXPECT_EQ(ttl("1.0.0.127.in-addr.arpa", Type::ptr), 0U);
}

Catalog big(int count) {
  Catalog catalog;
  for (int i = 0; i < count; ++i) catalog.service("big", fmt::format("10.9.{}.{}", i / 250, i % 250), 1000 + i);
  return catalog;
}

TEST(DnsAnswer, PlainUdpGetsThreeAnswersWithoutTruncation) {
  const auto catalog = big(40);
  const auto reply = ask(catalog, "big.service.consul", Type::a);
  EXPECT_THAT(reply.answers, SizeIs(3));
  EXPECT_FALSE(reply.header.truncated);
  const auto srv = ask(catalog, "big.service.consul", Type::srv);
  EXPECT_THAT(srv.answers, SizeIs(3));
  EXPECT_THAT(srv.additional, SizeIs(3)) << "an address for each; Consul drops metadata with the first answer";
  DnsOptions generous;
  generous.udp_answer_limit = 50;
  EXPECT_THAT(ask(catalog, "big.service.consul", Type::a, {}, generous).answers, SizeIs(8));
  DnsOptions limited;
  limited.a_record_limit = 5;
  EXPECT_THAT(ask(catalog, "big.service.consul", Type::a, {net::Transport::tcp}, limited).answers, SizeIs(5));
}

TEST(DnsAnswer, WhatDoesNotFitIsLeftOutAndSaid) {
  const auto catalog = big(200);
  const Ask edns{net::Transport::udp, 1232};
  const auto reply = ask(catalog, "big.service.consul", Type::srv, edns);
  EXPECT_TRUE(reply.header.truncated);
  EXPECT_THAT(reply.answers, SizeIs(19));     // as many as Consul sends in 1232 bytes
  EXPECT_THAT(reply.additional, SizeIs(19));  // their addresses; metadata went first
  for (std::size_t i = 0; i < reply.answers.size(); ++i) {
    EXPECT_EQ(std::get<Srv>(reply.answers[i].data).target, reply.additional[i].name);
  }
  ASSERT_TRUE(reply.edns);
  EXPECT_EQ(reply.edns->udp_bytes, 1232);
  EXPECT_LE(encode(reply).size(), 1232U);
  const auto whole = ask(catalog, "big.service.consul", Type::srv, {net::Transport::tcp});
  EXPECT_THAT(whole.answers, SizeIs(200));
  EXPECT_FALSE(whole.header.truncated);
}

TEST(DnsAnswer, NoTransportGetsMoreThanItCarries) {
  const auto catalog = big(3000);
  const auto over_tcp = ask(catalog, "big.service.consul", Type::srv, {net::Transport::tcp});
  EXPECT_LE(encode(over_tcp).size(), 65523U);
  EXPECT_FALSE(encode(over_tcp).empty());
  const auto over_udp = ask(catalog, "big.service.consul", Type::a, {net::Transport::udp, 65535});
  EXPECT_THAT(over_udp.answers, SizeIs(3000));
}

TEST(DnsAnswer, OrderIsShuffledBySeed) {
  const auto catalog = big(3);
  std::map<std::string, int> first;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const auto reply = ask(catalog, "big.service.consul", Type::a, {net::Transport::udp, std::nullopt, seed});
    ++first[lines(reply.answers)[0]];
  }
  ASSERT_EQ(first.size(), 3U);
  for (const auto& [line, count] : first) EXPECT_GT(count, 60) << line;
}

TEST(DnsAnswer, ClientSubnetComesBackWithScopeZero) {
  Message query = question("web.service.consul", Type::a, {net::Transport::udp, 1232});
  const std::string subnet("\0\x08\0\x07\0\x01\x18\x18\x0a\x01\x02", 11);
  query.edns->options = std::string("\0\x0a\0\x02hi", 6) + subnet;  // a cookie before it
  const auto reply = answer(Query{query}, shop().state(), answer_options(text_options()).value()).message;
  ASSERT_TRUE(reply.edns);
  std::string expected = subnet;
  expected[7] = '\0';
  EXPECT_EQ(reply.edns->options, expected);
}

TEST(DnsAnswer, OnlyQuestionsAreAcceptable) {
  Message query = question("web.service.consul", Type::a);
  EXPECT_EQ(acceptable(query), Rcode::noerror);
  query.header.opcode = Opcode::notify;
  EXPECT_EQ(acceptable(query), Rcode::noerror);
  query.header.opcode = static_cast<Opcode>(5);
  EXPECT_EQ(acceptable(query), Rcode::notimp);
  query.header.opcode = Opcode::query;
  query.questions.push_back(query.questions[0]);
  EXPECT_EQ(acceptable(query), Rcode::formerr);
  query.questions.clear();
  EXPECT_EQ(acceptable(query), Rcode::formerr);
}

}  // namespace
}  // namespace devstack::dns
