#include "core/docker/types.h"

#include <gtest/gtest.h>

namespace devstack::docker {
namespace {

TEST(ContainerPort, ReadsNumberAndProtocol) {
  EXPECT_EQ(parse_container_port("80")->port, 80);
  EXPECT_EQ(parse_container_port("80")->protocol, "tcp");
  EXPECT_EQ(*parse_container_port("53/udp"), (ContainerPort{53, "udp"}));
  EXPECT_EQ(to_string(ContainerPort{9899, "sctp"}), "9899/sctp");
}

TEST(ContainerPort, RefusesWhatIsNoPort) {
  for (const auto* text : {"", "0", "65536", "-1", "80/", "80/http", "x", "8080-8090/tcp", "80 "}) {
    const auto port = parse_container_port(text);
    ASSERT_FALSE(port) << text;
    EXPECT_EQ(port.error().code, Errc::parse) << text;
  }
}

}  // namespace
}  // namespace devstack::docker
