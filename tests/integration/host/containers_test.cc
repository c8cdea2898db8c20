#include "core/host/containers.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/integration/docker/engine.h"

namespace devstack::docker {
namespace {

class HostContainers : public EngineTest {
 protected:
  void start(const std::string& what, std::vector<std::string> dns, const std::string& network = "") {
    ContainerSpec spec;
    spec.name = name_of(what);
    spec.command = {"sleep", "1000"};
    spec.dns = std::move(dns);
    spec.network = network;
    const auto id = create(std::move(spec));
    const auto started = run(client_.start_container(id));
    ASSERT_TRUE(started) << started.error().message;
  }
  /// Of this test's containers those that are left without a server; other tests' may run beside.
  std::vector<std::string> left(std::vector<std::string> daemon_dns) {
    auto names = run(host::containers_that_ask_only({"203.0.113.53", "203.0.113.54"}, std::move(daemon_dns), client_));
    std::erase_if(names, [&](const std::string& name) { return !name.starts_with(name_of("")); });
    return names;
  }
};

TEST_F(HostContainers, OnlyThoseWithNoOtherServerAreNamed) {
  start("only", {"203.0.113.53"});
  start("both", {"203.0.113.54", "203.0.113.53"});
  start("fallback", {"203.0.113.53", "9.9.9.9"});
  start("engines", {});
  start("hosts", {"203.0.113.53"}, "host");
  EXPECT_THAT(left({}), testing::ElementsAre(name_of("both"), name_of("only")));
  EXPECT_THAT(left({"203.0.113.53"}), testing::ElementsAre(name_of("both"), name_of("engines"), name_of("only")));
  EXPECT_THAT(left({"203.0.113.53", "9.9.9.9"}), testing::ElementsAre(name_of("both"), name_of("only")));
}

}  // namespace
}  // namespace devstack::docker
