// Ports as the "Cloud Computing Basics" post shows them: what is published, where, and what gets registered.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/e2e/appliance.h"

namespace devstack::e2e {
namespace {

// An address of this machine that is neither loopback nor the bridge, as a VM has on its private network.
constexpr const char* kVm = "192.168.33.33";

class Ports : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    sh(std::string("ip addr add ") + kVm + "/32 dev lo");
    busybox_image("silent", {"CMD [\"sleep\", \"1000\"]"});
    appliance_ = new Appliance(R"(
name: e2eports
services:
  everywhere: {image: devstack/hello, ports: ["15432:8080"]}
  nowhere: {image: devstack/hello}
  loopback: {image: devstack/hello, ports: ["127.0.0.1:15433:8080"]}
  private: {image: devstack/hello, ports: ["192.168.33.33:15434:8080"]}
  random: {image: devstack/hello, ports: ["127.0.0.1::8080"]}
  twins: {image: devstack/hello, ports: ["8080"], scale: 2}
  all: {image: devstack/hello, x-devstack: {publish_all: true}}
  silent: {image: devstack-e2e/silent, stop_signal: SIGKILL}
)");
    appliance_->must("up");
  }
  static void TearDownTestSuite() {
    delete appliance_;
    appliance_ = nullptr;
    sh(std::string("ip addr del ") + kVm + "/32 dev lo");
  }
  static bool answers(const std::string& where) { return sh("curl -sf --max-time 3 http://" + where + "/").code == 0; }
  static std::string address_of(const std::string& container) {
    return ok("docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' " + container);
  }
  static Appliance* appliance_;
};
Appliance* Ports::appliance_ = nullptr;

TEST_F(Ports, S0_1_PublishedPortAnswersOnEveryAddress) {
  for (const std::string& address : {std::string("127.0.0.1"), std::string(kVm), bridge()}) {
    EXPECT_TRUE(answers(address + ":15432")) << address;
  }
}

TEST_F(Ports, S0_2_ServiceWithoutPortsAnswersOnItsOwnAddressOnly) {
  EXPECT_EQ(ok("docker port e2eports-nowhere-1"), "");
  EXPECT_TRUE(answers(address_of("e2eports-nowhere-1") + ":8080"));
}

TEST_F(Ports, S0_3_LoopbackPortRefusesOtherAddresses) {
  EXPECT_TRUE(answers("127.0.0.1:15433"));
  EXPECT_FALSE(answers(std::string(kVm) + ":15433"));
}

TEST_F(Ports, S0_3b_PrivateAddressAloneAnswers) {
  EXPECT_TRUE(answers(std::string(kVm) + ":15434"));
  EXPECT_FALSE(answers("127.0.0.1:15434"));
}

TEST_F(Ports, S0_4_RandomPortIsPrintedAsDockerHasIt) {
  const std::string port = appliance_->must("port random 8080");
  EXPECT_EQ(port, ok("docker port e2eports-random-1 8080") + "\n");
  EXPECT_EQ(port.rfind("127.0.0.1:", 0), 0U) << port;
}

TEST_F(Ports, S0_5_TwoInstancesHaveTwoPortsAndTwoEntries) {
  EXPECT_NE(ok("docker port e2eports-twins-1 8080"), ok("docker port e2eports-twins-2 8080"));
  const auto entries = parse_json(ok("curl -s http://127.0.0.1:8500/v1/catalog/service/twins")).as_array();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_NE(entries[0].at("ServiceID"), entries[1].at("ServiceID"));
}

TEST_F(Ports, S0_6_PublishAllMapsEveryExposedPort) {
  EXPECT_NE(ok("docker port e2eports-all-1").find("8080/tcp -> 0.0.0.0:"), std::string::npos);
}

TEST_F(Ports, S0_7_ImageWithoutExposeRegistersNothing) {
  EXPECT_EQ(ok("docker inspect -f '{{.State.Running}}' e2eports-silent-1"), "true");
  EXPECT_EQ(ok("curl -s http://127.0.0.1:8500/v1/catalog/service/silent"), "[]");
}

TEST_F(Ports, S0_8_StartedContainerIsRegisteredByEvent) {
  Containers containers;
  containers.run("e2e-event", "-e SERVICE_NAME=event devstack/hello");
  EXPECT_TRUE(eventually([] { return sh("curl -s http://127.0.0.1:8500/v1/catalog/service/event").text != "[]"; },
                         std::chrono::seconds(2)));
}

}  // namespace
}  // namespace devstack::e2e
