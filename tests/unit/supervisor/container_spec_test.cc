#include "core/supervisor/container_spec.h"

#include <gmock/gmock.h>

namespace devstack::supervisor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

stack::PlannedUnit unit(const std::string& name = "web", int number = 1) {
  stack::PlannedUnit planned;
  planned.name = name;
  planned.service = "web";
  planned.number = number;
  planned.config_hash = "1:abc";
  planned.spec.image = "nginx";
  return planned;
}

ContainerContext context() { return {"demo", "demo_default", "/srv/demo/stack.yaml", {"172.17.0.1"}}; }

TEST(ContainerSpec, NamesAndLabelsAsComposeAndOurs) {
  const auto spec = container_spec(unit("web-2", 2), context());
  EXPECT_EQ(spec.name, "demo-web-2");
  EXPECT_EQ(spec.labels.at("io.devstack.project"), "demo");
  EXPECT_EQ(spec.labels.at("io.devstack.unit"), "web-2");
  EXPECT_EQ(spec.labels.at("io.devstack.config-hash"), "1:abc");
  EXPECT_EQ(spec.labels.at("com.docker.compose.project"), "demo");
  EXPECT_EQ(spec.labels.at("com.docker.compose.service"), "web");
  EXPECT_EQ(spec.labels.at("com.docker.compose.container-number"), "2");
  EXPECT_EQ(spec.labels.at("com.docker.compose.oneoff"), "False");
  EXPECT_EQ(spec.labels.at("com.docker.compose.project.working_dir"), "/srv/demo");
  EXPECT_THAT(spec.aliases, ElementsAre("web", "web-2"));
  EXPECT_EQ(spec.restart_policy, "") << "the supervisor restarts";
  auto named = unit();
  named.spec.container_name = "mine";
  EXPECT_EQ(container_spec(named, context()).name, "mine");
}

TEST(ContainerSpec, AsksOurDnsUnlessTheServiceNamesItsOwn) {
  EXPECT_THAT(container_spec(unit(), context()).dns, ElementsAre("172.17.0.1"));
  auto own = unit();
  own.spec.dns = {"9.9.9.9"};
  EXPECT_THAT(container_spec(own, context()).dns, ElementsAre("9.9.9.9"));
}

TEST(ContainerSpec, NetworkModesAreTheEngines) {
  EXPECT_EQ(container_spec(unit(), context()).network, "demo_default");
  auto other = unit();
  other.spec.network_mode = "host";
  EXPECT_EQ(container_spec(other, context()).network, "host");
  EXPECT_THAT(container_spec(other, context()).aliases, IsEmpty());
  EXPECT_THAT(container_spec(other, context()).dns, IsEmpty());
  other.spec.network_mode = "service:db";
  EXPECT_EQ(container_spec(other, context()).network, "container:demo-db-1");
}

TEST(ContainerSpec, PublishesAndExposesPorts) {
  auto planned = unit();
  planned.spec.expose = {"9000", "53/udp"};
  planned.spec.ports = {{"127.0.0.1", 8080, 80, "tcp"}, {"", 0, 80, "tcp"}};
  const auto spec = container_spec(planned, context());
  EXPECT_THAT(spec.exposed_ports,
              testing::UnorderedElementsAre(docker::ContainerPort{80, "tcp"}, docker::ContainerPort{9000, "tcp"},
                                            docker::ContainerPort{53, "udp"}));
  const auto& bindings = spec.port_bindings.at({80, "tcp"});
  EXPECT_THAT(bindings, ElementsAre(docker::PortBinding{"127.0.0.1", 8080}, docker::PortBinding{"", 0}));
}

TEST(ContainerAddresses, AreTheContainersAndThePublishedOnes) {
  docker::Container container;
  container.networks["demo_default"].ip_address = "172.18.0.2";
  container.exposed_ports = {{80, "tcp"}};
  container.ports[{80, "tcp"}] = {{"0.0.0.0", 49153}, {"::", 49153}};
  EXPECT_THAT(container_addresses(container), ElementsAre("172.18.0.2:80/tcp", "127.0.0.1:49153"));
}

TEST(UnixTime, ReadsTheEnginesTimes) {
  EXPECT_EQ(unix_time("2023-07-01T00:00:01.123456789Z"), 1688169601);
  EXPECT_EQ(unix_time("0001-01-01T00:00:00Z"), 0);
  EXPECT_EQ(unix_time(""), 0);
}

}  // namespace
}  // namespace devstack::supervisor
