#include "core/dns/name.h"

#include <gtest/gtest.h>

namespace devstack::dns {
namespace {

Name name(std::string_view text) { return Name::parse(text).value(); }

TEST(DnsName, KeepsCaseAndComparesWithoutIt) {
  EXPECT_EQ(name("WEB.Service.consul").to_text(), "WEB.Service.consul.");
  EXPECT_EQ(name("WEB.Service.consul"), name("web.service.CONSUL."));
  EXPECT_EQ(name("WEB.Service.consul").lowered().to_text(), "web.service.consul.");
}

TEST(DnsName, HoldsAnyByteInALabel) {
  const Name odd = name(R"(a\.b.c\000\255.consul)");
  ASSERT_EQ(odd.labels().size(), 3U);
  EXPECT_EQ(odd.labels()[0], "a.b");
  EXPECT_EQ(odd.labels()[1], std::string_view("c\0\xff", 3));
  EXPECT_EQ(odd.to_text(), R"(a\.b.c\000\255.consul.)");
  EXPECT_EQ(Name::parse(odd.to_text()).value(), odd);
}

TEST(DnsName, RejectsWhatIsNoName) {
  const std::string label63(63, 'a');
  EXPECT_TRUE(Name::parse(label63 + ".b"));
  for (const std::string& bad : {std::string(), std::string(".."), std::string("a..b"), std::string(".a"),
                                 std::string(64, 'a'), std::string("a\\"), std::string("a\\25"), std::string("a\\999"),
                                 label63 + "." + label63 + "." + label63 + "." + label63}) {
    EXPECT_FALSE(Name::parse(bad)) << bad;
  }
}

TEST(DnsName, KnowsItsZoneOnLabelBorders) {
  EXPECT_TRUE(name("web.service.Consul").within(name("consul")));
  EXPECT_TRUE(name("consul").within(name("consul")));
  EXPECT_TRUE(name("consul").within(Name()));
  EXPECT_FALSE(name("myconsul").within(name("consul")));
  EXPECT_FALSE(name("consul").within(name("web.consul")));
}

TEST(DnsName, JoinsAPrefixOnlyWhenTheResultIsAName) {
  EXPECT_EQ(Name::join("n1.node", name("consul"))->to_text(), "n1.node.consul.");
  EXPECT_FALSE(Name::join("", name("consul")));
  EXPECT_FALSE(Name::join("a..b", name("consul")));
  EXPECT_FALSE(Name::join(std::string(64, 'x'), name("consul")));
  EXPECT_FALSE(Name::join(std::string(250, 'x'), name("consul")));
}

}  // namespace
}  // namespace devstack::dns
