// NAME.query: prepared queries over DNS. https://developer.hashicorp.com/consul/api-docs/query
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
using test_support::text_options;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr const char* id = "11111111-aaaa-bbbb-cccc-222222222222";
constexpr const char* template_id = "11111111-aaaa-bbbb-cccc-333333333333";

Catalog shop() {
  Catalog catalog;
  catalog.service("web", "10.0.0.1", 80, {"v1"})
      .service("web", "10.0.0.2", 81, {"v2"})
      .service("web", "10.0.0.3", 82, {"v1"}, "warning")
      .service("web", "10.0.0.4", 83, {"v1"}, "critical");
  catalog.query(id, "Blue.web",
                R"({"Name":"Blue.web","Service":{"Service":"web","Tags":["v1","!old"]},"DNS":{"TTL":"90s"}})");
  return catalog;
}

TEST(DnsPrepared, ByNameWithDotsAndById) {
  const auto catalog = shop();
  const auto both =
      UnorderedElementsAre("blue.WEB.query.consul. 90 IN A 10.0.0.1", "blue.WEB.query.consul. 90 IN A 10.0.0.3");
  EXPECT_THAT(lines(ask(catalog, "blue.WEB.query.consul", Type::a).answers), both);
  EXPECT_THAT(ask(catalog, std::string(id) + ".query.dc1.consul", Type::a).answers, SizeIs(2));
  EXPECT_THAT(ask(catalog, "blue.web.query.test", Type::any).answers, SizeIs(2));
  EXPECT_THAT(lines(ask(catalog, "blue.web.query.consul", Type::srv).answers),
              UnorderedElementsAre("blue.web.query.consul. 90 IN SRV 1 1 80 0a000001.addr.dc1.consul.",
                                   "blue.web.query.consul. 90 IN SRV 1 1 82 0a000003.addr.dc1.consul."));
}

TEST(DnsPrepared, NobodyIsNxdomainNoAddressOfTheFamilyIsNoData) {
  auto catalog = shop();
  catalog.query("11111111-aaaa-bbbb-cccc-444444444444", "none", R"({"Service":{"Service":"nosuch"}})");
  for (const char* name : {"nosuch.query.consul", "none.query.consul", "blue.web.query.dc9.consul", "query.consul",
                           "blue.web.query.a.dc1.consul", "00000000-aaaa-bbbb-cccc-222222222222.query.consul"}) {
    const auto reply = ask(catalog, name, Type::a);
    EXPECT_EQ(reply.header.rcode, Rcode::nxdomain) << name;
    EXPECT_THAT(reply.authority, SizeIs(1)) << name;
  }
  const auto no_data = ask(catalog, "blue.web.query.consul", Type::aaaa);
  EXPECT_EQ(no_data.header.rcode, Rcode::noerror);
  EXPECT_THAT(no_data.answers, IsEmpty());
  EXPECT_THAT(no_data.authority, SizeIs(1));
}

TEST(DnsPrepared, WithoutATimeToLiveTheServicesCounts) {
  auto catalog = shop();
  catalog.query("11111111-aaaa-bbbb-cccc-444444444444", "plain", R"({"Service":{"Service":"web"}})");
  DnsOptions options;
  options.service_ttl = {{"web", std::chrono::seconds(5)}};
  EXPECT_EQ(ask(catalog, "plain.query.consul", Type::a, {}, options).answers.at(0).ttl, 5U);
  EXPECT_EQ(ask(catalog, "blue.web.query.consul", Type::a, {}, options).answers.at(0).ttl, 90U);
}

TEST(DnsPrepared, HealthIsTheQuerysOwn) {
  auto catalog = shop();
  catalog.query("11111111-aaaa-bbbb-cccc-444444444444", "strict",
                R"({"Service":{"Service":"web","OnlyPassing":true}})");
  catalog.query("11111111-aaaa-bbbb-cccc-555555555555", "blind",
                R"({"Service":{"Service":"web","IgnoreCheckIDs":["check-web4"]}})");
  EXPECT_THAT(ask(catalog, "strict.query.consul", Type::a).answers, SizeIs(2));
  EXPECT_THAT(ask(catalog, "blind.query.consul", Type::a, {net::Transport::tcp}).answers, SizeIs(4));
}

TEST(DnsPrepared, TemplatesAreFilledInByTheLongestPrefix) {
  auto catalog = shop();
  catalog.query(template_id, "geo-",
                R"({"Name":"geo-","Template":{"Type":"name_prefix_match","Regexp":"^geo-(.*)-([a-z0-9]+)$"},)"
                R"("Service":{"Service":"${match(1)}","Tags":["${match(2)}"]}})");
  catalog.query("11111111-aaaa-bbbb-cccc-444444444444", "",
                R"({"Template":{"Type":"name_prefix_match"},"Service":{"Service":"${name.full}"}})");
  EXPECT_THAT(lines(ask(catalog, "geo-web-v2.query.consul", Type::a).answers),
              ElementsAre("geo-web-v2.query.consul. 0 IN A 10.0.0.2"));
  EXPECT_THAT(ask(catalog, "web.query.consul", Type::a).answers, SizeIs(3)) << "the template for all names";
  EXPECT_EQ(ask(catalog, "geo-nosuch-v1.query.consul", Type::a).header.rcode, Rcode::nxdomain);
  EXPECT_EQ(ask(catalog, std::string(template_id) + ".query.consul", Type::a).header.rcode, Rcode::servfail)
      << "a template has a meaning only for a name";
}

Catalog two_nodes(std::string near) {
  Catalog catalog;
  catalog.service("web", "10.0.0.1", 80).service("web", "10.0.0.2", 80);
  catalog.node("far", "192.0.2.7").service("web", "10.0.7.1", 80);
  catalog.query(id, "near", R"({"Service":{"Service":"web","Near":")" + near + R"("}})");
  return catalog;
}

std::map<std::string, int> firsts(const Catalog& catalog, Ask how) {
  auto options = text_options();
  options.node = "n1";
  std::map<std::string, int> out;
  for (how.seed = 0; how.seed < 40; ++how.seed) {
    const auto reply = ask(catalog, "near.query.consul", Type::a, how, options);
    ++out[to_text(reply.answers.at(0)).substr(sizeof "near.query.consul. 0 IN A")];
  }
  return out;
}

TEST(DnsPrepared, NearPutsThatNodeFirstAndShufflesTheRest) {
  EXPECT_THAT(firsts(two_nodes("far"), {}), ElementsAre(testing::Pair("10.0.7.1", 40)));
  EXPECT_THAT(firsts(two_nodes("_agent"), {}), ElementsAre(testing::Key("10.0.0.1"), testing::Key("10.0.0.2")));
  EXPECT_THAT(firsts(two_nodes(""), {}), SizeIs(3));
}

TEST(DnsPrepared, NearTheAskerIsByClientSubnetElseByAddress) {
  const auto catalog = two_nodes("_ip");
  Ask how;
  EXPECT_THAT(firsts(catalog, how), SizeIs(3)) << "nobody known";
  how.source = asio::ip::make_address("192.0.2.7");
  EXPECT_THAT(firsts(catalog, how), ElementsAre(testing::Pair("10.0.7.1", 40)));
  how.edns = 1232;
  how.client_subnet = std::string("\0\x08\0\x08\0\x01\x20\0\x7f\0\0\x01", 12);  // 127.0.0.1/32: n1
  EXPECT_THAT(firsts(catalog, how), ElementsAre(testing::Key("10.0.0.1"), testing::Key("10.0.0.2")));
}

TEST(DnsPrepared, OnlyANearAnswerIsForItsAskerAlone) {
  EXPECT_TRUE(test_support::ask_all(two_nodes("_ip"), "near.query.consul", Type::a).for_this_asker);
  EXPECT_FALSE(test_support::ask_all(two_nodes(""), "near.query.consul", Type::a).for_this_asker);
}

TEST(DnsPrepared, AnAnswerIsForTheSubnetAFailureForEverybody) {
  const auto catalog = shop();
  Ask how;
  how.edns = 1232;
  how.client_subnet = std::string("\0\x08\0\x07\0\x01\x18\0\x0a\x01\x02", 11);  // 10.1.2.0/24
  std::string scoped = how.client_subnet;
  scoped[7] = '\x18';
  EXPECT_EQ(ask(catalog, "blue.web.query.consul", Type::a, how).edns->options, scoped);
  EXPECT_EQ(ask(catalog, "blue.web.query.consul", Type::aaaa, how).edns->options, scoped);
  EXPECT_EQ(ask(catalog, "nosuch.query.consul", Type::a, how).edns->options, how.client_subnet);
  EXPECT_EQ(ask(catalog, "web.service.consul", Type::a, how).edns->options, how.client_subnet);
}

Catalog mesh() {
  Catalog catalog;
  catalog.service("web", "10.0.0.1", 80, {"v1"});
  registry::Service proxy;
  proxy.id = proxy.name = "web-sidecar-proxy";
  proxy.kind = "connect-proxy";
  proxy.address = "10.0.0.9";
  proxy.port = 21000;
  proxy.proxy_json = R"({"DestinationServiceName":"web"})";
  catalog.add(proxy);
  registry::Service native;
  native.id = native.name = "native";
  native.address = "10.0.0.8";
  native.port = 81;
  native.connect_json = R"({"Native":true})";
  return catalog.add(native);
}

TEST(DnsConnect, AnswersWithWhoSpeaksForTheService) {
  auto catalog = mesh();
  EXPECT_THAT(lines(ask(catalog, "web.connect.consul", Type::a).answers),
              ElementsAre("web.connect.consul. 0 IN A 10.0.0.9"));
  EXPECT_THAT(lines(ask(catalog, "any.labels.web.connect.dc1.consul", Type::srv).answers),
              ElementsAre("any.labels.web.connect.dc1.consul. 0 IN SRV 1 1 21000 0a000009.addr.dc1.consul."));
  EXPECT_THAT(ask(catalog, "native.connect.consul", Type::a).answers, SizeIs(1));
  EXPECT_EQ(ask(catalog, "web-sidecar-proxy.connect.consul", Type::a).header.rcode, Rcode::nxdomain);
  EXPECT_EQ(ask(catalog, "web.connect.dc2.consul", Type::a).header.rcode, Rcode::nxdomain);
  EXPECT_EQ(ask(catalog, "web.ingress.consul", Type::a).header.rcode, Rcode::nxdomain);
  EXPECT_EQ(ask(catalog, "web.virtual.consul", Type::a).header.rcode, Rcode::nxdomain);
  catalog.query(id, "meshed", R"({"Service":{"Service":"web","Connect":true}})");
  EXPECT_THAT(lines(ask(catalog, "meshed.query.consul", Type::a).answers),
              ElementsAre("meshed.query.consul. 0 IN A 10.0.0.9"));
}

}  // namespace
}  // namespace devstack::dns
