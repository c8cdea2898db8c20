#include "core/host/resolv_conf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devstack::host {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

constexpr const char* kMark = "# The next line is devstack's: `devstack host undo` takes it away.\n";

TEST(ResolvConf, OurServerComesFirstAndTheRestStays) {
  const std::string text = "# mine\nsearch lan\nnameserver 10.0.0.1\noptions timeout:1\nnameserver\t10.0.0.2\n";
  const auto edited = point_at(text, "172.17.0.1", "");
  EXPECT_EQ(edited, "# mine\nsearch lan\n" + std::string(kMark) +
                        "nameserver 172.17.0.1\nnameserver 10.0.0.1\noptions timeout:1\nnameserver\t10.0.0.2\n");
  EXPECT_THAT(nameservers(edited), ElementsAre("172.17.0.1", "10.0.0.1", "10.0.0.2"));
}

TEST(ResolvConf, ASecondEditChangesNothingAndANewAddressReplacesTheOld) {
  for (const char* text : {"", "nameserver 10.0.0.1", "search a b\nnameserver 10.0.0.1\n", "options rotate\n"}) {
    const auto once = point_at(text, "172.17.0.1", "service.consul");
    EXPECT_EQ(point_at(once, "172.17.0.1", "service.consul"), once);
    EXPECT_EQ(point_at(once, "172.18.0.1", ""), point_at(text, "172.18.0.1", "")) << text;
  }
}

TEST(ResolvConf, AServerThatIsFirstAlreadyIsNotNamedTwice) {
  const std::string text = "nameserver 172.17.0.1\nnameserver 10.0.0.1\n";
  EXPECT_EQ(point_at(text, "172.17.0.1", ""), text);
}

TEST(ResolvConf, ShortNamesAreTriedInTheDomainsThatWereThereFirst) {
  EXPECT_EQ(point_at("nameserver 172.17.0.1\nsearch a\nsearch b c\n", "172.17.0.1", "service.consul"),
            "nameserver 172.17.0.1\nsearch a\nsearch b c\n" + std::string(kMark) + "search b c service.consul\n");
  EXPECT_EQ(point_at("nameserver 172.17.0.1\n", "172.17.0.1", "service.consul"),
            "nameserver 172.17.0.1\n" + std::string(kMark) + "search service.consul\n");
}

TEST(ResolvConf, ReadsOptions) {
  EXPECT_TRUE(has_option("options ndots:2 rotate\n", "rotate"));
  EXPECT_FALSE(has_option("# options rotate\noptions ndots:2\n", "rotate"));
}

}  // namespace
}  // namespace devstack::host
