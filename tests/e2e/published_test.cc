// "Docker and Consul" (2015): a virtual machine with one advertised address, published ports, and what dig and curl
// show.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/e2e/appliance.h"

namespace devstack::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kHost = "192.168.33.33";

class Published : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    sh(std::string("ip addr add ") + kHost + "/32 dev lo");
    busybox_image("net-tools", {"CMD [\"sh\"]"});
    appliance_ = new Appliance(R"(
name: e2epublished
registry: {node: moby, bind: [bridge, loopback, 192.168.33.33], advertise: 192.168.33.33}
dns: {bind: [bridge], recursors: none}
registrator: {mode: published, ip: 192.168.33.33, compat: 2015}
services: {}
)");
    appliance_->must("up");
    // The image's name is the service's, so the demo image goes under the name that the post uses.
    sh("docker image inspect devstack/hello >/dev/null 2>&1 || tar -C $(dirname " DEVSTACK_HELLO
       ") -c hello | docker import -c 'ENTRYPOINT [\"/hello\"]' -c 'EXPOSE 8080' - devstack/hello");
    ok("docker tag devstack/hello hello-world");
    containers_ = new Containers;
    containers_->run("e2e-world", "-p 18080:8080 hello-world");
    ASSERT_TRUE(
        eventually([] { return sh("curl -s http://192.168.33.33:8500/v1/catalog/service/hello-world").text != "[]"; }));
  }
  static void TearDownTestSuite() {
    delete containers_;
    delete appliance_;
    sh("docker rmi hello-world");
    sh(std::string("ip addr del ") + kHost + "/32 dev lo");
  }
  static std::string dig(const std::string& what) {
    return ok("dig +noedns +time=2 +tries=1 @" + bridge() + " " + what);
  }
  static Appliance* appliance_;
  static Containers* containers_;
};
Appliance* Published::appliance_ = nullptr;
Containers* Published::containers_ = nullptr;

TEST_F(Published, S2_2_ListenersBindWhereTheyAreTold) {
  for (const std::string& address : {bridge(), std::string(kHost), std::string("127.0.0.1")}) {
    EXPECT_EQ(sh("curl -sf --max-time 3 http://" + address + ":8500/v1/status/leader").code, 0) << address;
  }
  EXPECT_NE(sh("dig +time=1 +tries=1 @" + std::string(kHost) + " hello-world.service.consul").code, 0);
}

TEST_F(Published, S2_3_NodeNameIsSetAndASingleServerLeads) {
  EXPECT_EQ(parse_json(ok("curl -s http://127.0.0.1:8500/v1/agent/self")).at("Config").at("NodeName").as_string(),
            "moby");
  EXPECT_NE(ok("curl -s http://127.0.0.1:8500/v1/status/leader"), "\"\"");
}

TEST_F(Published, S2_4_UnaddressedServicesResolveToTheAdvertisedAddress) {
  ok("curl -sf -X PUT -d '{\"Name\":\"bare\",\"Port\":99}' http://127.0.0.1:8500/v1/agent/service/register");
  EXPECT_EQ(ok("dig +short @" + bridge() + " bare.service.consul"), kHost);
  ok("curl -sf -X PUT http://127.0.0.1:8500/v1/agent/service/deregister/bare");
}

TEST_F(Published, S2_5_S2_6_StatusPageListsTheService) {
  EXPECT_THAT(ok("curl -s http://127.0.0.1:7500/"), HasSubstr("hello-world"));
}

TEST_F(Published, S2_7_DigAnswersWithOneAuthoritativeAddress) {
  const std::string answer = dig("hello-world.service.consul");
  EXPECT_THAT(answer, HasSubstr("status: NOERROR"));
  EXPECT_THAT(answer, HasSubstr("flags: qr aa rd;"));
  EXPECT_THAT(answer, HasSubstr("ANSWER: 1,"));
  EXPECT_THAT(answer,
              ::testing::ContainsRegex(
                  "hello-world.service.consul.[[:space:]]+0[[:space:]]+IN[[:space:]]+A[[:space:]]+192.168.33.33"));
}

TEST_F(Published, S2_8_SrvNamesTheNodeAndBringsItsAddress) {
  const std::string answer = dig("hello-world.service.consul SRV");
  EXPECT_THAT(answer, ::testing::ContainsRegex("SRV[[:space:]]+1 1 18080 moby.node.dc1.consul."));
  // One address; the node's metadata, which Consul has added since as TXT, comes beside it.
  EXPECT_EQ(ok("dig +noall +additional @" + bridge() + " hello-world.service.consul SRV | grep -c 'IN.A[[:space:]]'"),
            "1");
  EXPECT_THAT(answer, ::testing::ContainsRegex(
                          "moby.node.dc1.consul.[[:space:]]+0[[:space:]]+IN[[:space:]]+A[[:space:]]+192.168.33.33"));
}

TEST_F(Published, S2_9_S4_1_CatalogHasTheHostsAddressAndThePublishedPort) {
  const auto rows = parse_json(ok("curl -s http://127.0.0.1:8500/v1/catalog/service/hello-world")).as_array();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].at("Node").as_string(), "moby");
  EXPECT_EQ(rows[0].at("Address").as_string(), kHost);
  EXPECT_EQ(rows[0].at("ServiceID").as_string(), "moby:e2e-world:8080");
  EXPECT_EQ(rows[0].at("ServiceAddress").as_string(), "");
  EXPECT_EQ(rows[0].at("ServicePort").as_int64(), 18080);
}

TEST_F(Published, S2_10_TheServiceAnswersAtItsAddress) {
  EXPECT_THAT(ok(std::string("curl -s http://") + kHost + ":18080/"), HasSubstr("Hello from"));
}

TEST_F(Published, S2_11_KeyHasIndexesFlagsAndBase64Value) {
  ok("curl -sf -X PUT -d 'Yes, it does' http://127.0.0.1:8500/v1/kv/docker/rules");
  const auto entry = parse_json(ok("curl -s http://127.0.0.1:8500/v1/kv/docker/rules")).as_array().at(0);
  EXPECT_EQ(entry.at("LockIndex").as_int64(), 0);
  EXPECT_EQ(entry.at("Flags").as_int64(), 0);
  EXPECT_EQ(entry.at("Key").as_string(), "docker/rules");
  EXPECT_EQ(entry.at("Value").as_string(), "WWVzLCBpdCBkb2Vz");
  EXPECT_GT(entry.at("ModifyIndex").as_int64(), 0);
}

TEST_F(Published, S2_12_NamesResolveInsideAnyContainer) {
  const std::string on_bridge =
      ok("docker run --rm --dns " + bridge() + " devstack-e2e/net-tools nslookup -type=a hello-world.service.consul");
  EXPECT_THAT(on_bridge, HasSubstr(kHost));
  ok("docker network create e2e-user-net");
  const Output on_user_network = sh("docker run --rm --network e2e-user-net --dns " + bridge() +
                                    " devstack-e2e/net-tools nslookup -type=a hello-world.service.consul");
  sh("docker network rm e2e-user-net");
  EXPECT_THAT(on_user_network.text, HasSubstr(kHost));
}

TEST_F(Published, S3_3_UnpublishedPortsAreNotRegistered) {
  containers_->run("e2e-unpublished", "-e SERVICE_NAME=unpublished devstack/hello");
  containers_->run("e2e-later", "-p 18081:8080 -e SERVICE_NAME=later devstack/hello");
  ASSERT_TRUE(eventually([] { return sh("curl -s http://127.0.0.1:8500/v1/catalog/service/later").text != "[]"; }));
  EXPECT_EQ(ok("curl -s http://127.0.0.1:8500/v1/catalog/service/unpublished"), "[]");
  EXPECT_EQ(ok("dig +short @" + bridge() + " later.service.consul"), kHost);
}

}  // namespace
}  // namespace devstack::e2e
