// What Consul's DNS does in corners: each is a rule of its agent/dns.go (1.10).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/dns/codec.h"
#include "tests/unit/dns/catalog.h"

namespace devstack::dns {
namespace {

using test_support::Ask;
using test_support::ask;
using test_support::Catalog;
using test_support::lines;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

registry::Service service(std::string name, std::string address, int port) {
  registry::Service out;
  out.id = out.name = std::move(name);
  out.address = std::move(address);
  out.port = port;
  return out;
}

TEST(DnsConsulDetails, NoServiceNameIsAnError) {
  const auto reply = ask(Catalog(), "_._tcp.service.consul", Type::srv);
  EXPECT_EQ(reply.header.rcode, Rcode::servfail);
  EXPECT_THAT(reply.authority, IsEmpty());
}

TEST(DnsConsulDetails, ANodeOfAnUnknownDatacenterHasEveryOddType) {
  const Catalog catalog;
  EXPECT_EQ(ask(catalog, "n1.node.dc9.consul", Type::mx).header.rcode, Rcode::noerror);
  EXPECT_EQ(ask(catalog, "n1.node.dc9.consul", Type::a).header.rcode, Rcode::nxdomain);
  EXPECT_EQ(ask(catalog, "n1.node.a.dc1.consul", Type::mx).header.rcode, Rcode::nxdomain);
}

TEST(DnsConsulDetails, NodesAnswerToTheirIdAndToItsUniqueBeginning) {
  Catalog catalog;
  catalog.node("one", "10.0.0.1").change_node([](auto& node) { node.id = "abcd1234-0000-1111-2222-333344445555"; });
  catalog.node("two", "10.0.0.2").change_node([](auto& node) { node.id = "abcd9999-0000-1111-2222-333344445555"; });
  const auto answers = [&](const std::string& name) {
    return ask(catalog, name + ".node.consul", Type::a).answers.size();
  };
  EXPECT_EQ(answers("ABCD1234-0000-1111-2222-333344445555"), 1U);
  EXPECT_EQ(answers("abcd12"), 1U);
  EXPECT_EQ(answers("abcd123"), 1U) << "the odd digit does not count";
  EXPECT_EQ(answers("abcd1234-0000"), 0U) << "nine digits and a dash, cut to twelve characters: odd digits";
  EXPECT_EQ(answers("abcd1234-000"), 0U);
  EXPECT_EQ(answers("abcd"), 0U) << "two nodes";
  EXPECT_EQ(answers("a"), 0U);
  EXPECT_EQ(answers("wxyz"), 0U);
}

TEST(DnsConsulDetails, ATaggedNodeAddressIsWrittenAsAnAddress) {
  Catalog catalog;
  catalog.change_node([](auto& node) { node.tagged_addresses["lan_ipv4"] = "10.7.0.1"; });
  catalog.service("bare", "", 99);
  EXPECT_THAT(lines(ask(catalog, "bare.service.consul", Type::srv).answers),
              ElementsAre("bare.service.consul. 0 IN SRV 1 1 99 0a070001.addr.dc1.consul."));
  EXPECT_THAT(ask(catalog, "n1.node.consul", Type::any).answers,
              testing::Contains(testing::Field(&Record::data, testing::VariantWith<Ipv4>(Ipv4{{10, 7, 0, 1}}))));
  EXPECT_THAT(lines(ask(catalog, "n1.node.consul", Type::a).answers), ElementsAre("n1.node.consul. 0 IN A 10.7.0.1"));
}

TEST(DnsConsulDetails, ANameServerHasSmallLetters) {
  Catalog catalog;
  catalog.node("BigNode", "10.0.0.1").service("consul", "", 8300);
  const auto reply = ask(catalog, "consul", Type::ns);
  EXPECT_THAT(lines(reply.answers), ElementsAre("consul. 0 IN NS bignode.node.dc1.consul."));
  EXPECT_THAT(lines(reply.additional), ElementsAre("bignode.node.dc1.consul. 0 IN A 10.0.0.1"));
  EXPECT_THAT(lines(ask(catalog, "consul.service.consul", Type::srv).answers),
              ElementsAre("consul.service.consul. 0 IN SRV 1 1 8300 BigNode.node.dc1.consul."));
}

TEST(DnsConsulDetails, AServiceThatIsItsOwnAliasIsItsNode) {
  Catalog catalog;
  catalog.add(service("self", "self.service.consul", 7));
  EXPECT_THAT(lines(ask(catalog, "self.service.consul", Type::a).answers),
              ElementsAre("self.service.consul. 0 IN A 127.0.0.1"));
  EXPECT_THAT(lines(ask(catalog, "self.service.consul", Type::srv).answers),
              ElementsAre("self.service.consul. 0 IN SRV 1 1 7 n1.node.dc1.consul."));
  EXPECT_THAT(
      lines(ask(catalog, "SELF.service.consul", Type::a).answers),
      ElementsAre("SELF.service.consul. 0 IN CNAME self.service.consul.", "self.service.consul. 0 IN A 127.0.0.1"));
}

TEST(DnsConsulDetails, TwoAliasesInACircleEndAtTheDepth) {
  Catalog catalog;
  catalog.add(service("ping", "pong.service.consul", 1)).add(service("pong", "ping.service.consul", 1));
  const auto reply = ask(catalog, "ping.service.consul", Type::a);
  EXPECT_EQ(reply.header.rcode, Rcode::noerror);
  EXPECT_THAT(reply.answers, SizeIs(3)) << "four, of which plain UDP gets three";
  EXPECT_THAT(ask(catalog, "ping.service.consul", Type::a, {net::Transport::tcp}).answers, SizeIs(4));
}

TEST(DnsConsulDetails, AnAddressInsideAnIpv6OneIsAnIpv4One) {
  Catalog catalog;
  catalog.add(service("mapped", "::ffff:10.0.0.5", 7));
  EXPECT_THAT(lines(ask(catalog, "mapped.service.consul", Type::a).answers),
              ElementsAre("mapped.service.consul. 0 IN A 10.0.0.5"));
  EXPECT_THAT(lines(ask(catalog, "mapped.service.consul", Type::srv).answers),
              ElementsAre("mapped.service.consul. 0 IN SRV 1 1 7 0a000005.addr.dc1.consul."));
}

TEST(DnsConsulDetails, ANodeThatIsAnAliasBringsAllOfTheOther) {
  Catalog catalog;
  catalog.node("other", "n1.node.consul");
  EXPECT_THAT(lines(ask(catalog, "other.node.consul", Type::a).answers),
              ElementsAre("other.node.consul. 0 IN CNAME n1.node.consul.", "n1.node.consul. 0 IN A 127.0.0.1",
                          "n1.node.consul. 0 IN TXT \"rack=r1\""));
}

Catalog many(int count, std::string meta) {
  Catalog catalog;
  catalog.node("n1", "127.0.0.1", {{"rack", std::move(meta)}});
  for (int i = 0; i < count; ++i) catalog.service("many", fmt::format("10.9.0.{}", i), 1000 + i);
  return catalog;
}

TEST(DnsConsulDetails, MetadataCountsBeforeItGoesSoAnAnswerMayGoWithIt) {
  // Three answers of 62 bytes, three addresses, three texts: a little over 505 bytes.
  const auto reply = ask(many(3, std::string(100, 'x')), "many.service.consul", Type::srv);
  EXPECT_THAT(reply.answers, SizeIs(2));
  EXPECT_THAT(reply.additional, SizeIs(2));
  EXPECT_TRUE(reply.header.truncated) << "size left an answer out, and we say so";
  // Far over, Consul counts again without the texts, and all three stay.
  const auto far = ask(many(3, std::string(250, 'x')), "many.service.consul", Type::srv);
  EXPECT_THAT(far.answers, SizeIs(3));
  EXPECT_THAT(far.additional, SizeIs(3));
  EXPECT_FALSE(far.header.truncated);
}

TEST(DnsConsulDetails, OverTheLimitNamesCountWhole) {
  Catalog catalog;
  const std::string name(60, 'n');
  const std::string tag = std::string(60, 't') + "." + std::string(60, 'u');
  for (int i = 0; i < 4; ++i) catalog.service(name, fmt::format("10.9.0.{}", i), 1000 + i, {tag});
  const auto asked = fmt::format("{}.{}.service.consul", tag, name);
  // 199 bytes of name in the question and in each answer: two fit into 505, though three would when compressed.
  const auto reply = ask(catalog, asked, Type::a);
  EXPECT_THAT(reply.answers, SizeIs(1));
  EXPECT_LT(encode(reply).size(), 300U) << "but it is sent compressed";
  EXPECT_TRUE(reply.header.truncated);
}

TEST(DnsConsulDetails, TextsOfANodeThatDoNotFitAreLeftOut) {
  Catalog catalog;
  catalog.node("full", "10.0.0.1", {{"a", std::string(250, 'x')}, {"b", std::string(250, 'y')}});
  const auto reply = ask(catalog, "full.node.consul", Type::a);
  EXPECT_THAT(reply.answers, SizeIs(1));
  EXPECT_THAT(reply.additional, IsEmpty());
  EXPECT_FALSE(reply.header.truncated);
  EXPECT_THAT(ask(catalog, "full.node.consul", Type::a, {net::Transport::udp, 1232}).additional, SizeIs(2));
}

}  // namespace
}  // namespace devstack::dns
