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

ContainerContext context() {
  return {"demo", "/srv/demo", {"/srv/demo/stack.yaml"}, {"/srv/demo/.env", "/srv/b.env"}, "1.0", {"172.17.0.1"}};
}

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
  EXPECT_EQ(spec.labels.at("com.docker.compose.project.config_files"), "/srv/demo/stack.yaml");
  EXPECT_EQ(spec.labels.at("com.docker.compose.project.environment_file"), "/srv/demo/.env,/srv/b.env");
  EXPECT_EQ(spec.labels.at("com.docker.compose.version"), "1.0");
  ASSERT_EQ(spec.endpoints.size(), 1U);
  EXPECT_THAT(spec.endpoints[0].aliases, ElementsAre("demo-web-2", "web", "web-2"));
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
  EXPECT_THAT(container_spec(other, context()).endpoints, IsEmpty());
  EXPECT_THAT(container_spec(other, context()).dns, IsEmpty());
  other.spec.network_mode = "service:db";
  EXPECT_EQ(container_spec(other, context()).network, "container:demo-db-1");
  ContainerDetails details;
  details.ids["db"] = "0123";
  other.spec.isolation.pid = "service:db";
  EXPECT_EQ(container_spec(other, context(), details).network, "container:0123");
  EXPECT_EQ(container_spec(other, context(), details).pid_mode, "container:0123");
  EXPECT_THAT(namespace_parents(other.spec), ElementsAre("db", "db"));
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

TEST(ContainerSpec, NetworksGoByPriorityAndTheirNames) {
  auto planned = unit();
  stack::NetworkAttachment low, high;
  low.network = "a";
  high.network = "b";
  high.priority = 10;
  high.ipv4_address = "10.9.0.5";
  high.aliases = {"known-as"};
  planned.spec.networks = {low, high};
  planned.spec.links = {"db:database"};
  auto at = context();
  at.networks["b"].name = "given";
  at.containers["db"] = {"demo-db-1", "demo-db-2"};
  const auto spec = container_spec(planned, at);
  EXPECT_EQ(spec.network, "given");
  ASSERT_EQ(spec.endpoints.size(), 2U);
  EXPECT_EQ(spec.endpoints[0].ipv4_address, "10.9.0.5");
  EXPECT_THAT(spec.endpoints[0].aliases, ElementsAre("demo-web-1", "web", "known-as"));
  EXPECT_THAT(spec.endpoints[0].links, ElementsAre("demo-db-1:database", "demo-db-1:db-1", "demo-db-1:demo-db-1",
                                                   "demo-db-2:database", "demo-db-2:db-2", "demo-db-2:demo-db-2"));
  EXPECT_EQ(spec.endpoints[1].network, "demo_a");
}

TEST(ContainerSpec, MountsTakeTheFormThatCanSayThem) {
  auto planned = unit();
  const auto mount = [&](stack::MountKind kind, std::string source, std::string target) -> stack::Mount& {
    auto& added = planned.spec.volumes.emplace_back();
    added.kind = kind;
    added.source = std::move(source);
    added.target = std::move(target);
    return added;
  };
  mount(stack::MountKind::bind, "/srv", "/srv").read_only = true;
  mount(stack::MountKind::bind, "/there", "/there").create_host_path = false;
  mount(stack::MountKind::volume, "data", "/data").nocopy = true;
  mount(stack::MountKind::volume, "", "/anonymous");
  mount(stack::MountKind::volume, "", "/kept");
  mount(stack::MountKind::tmpfs, "", "/tmp").tmpfs_size = 1024;
  planned.spec.volumes_from = {"db:ro", "container:other"};
  ContainerDetails details;
  details.kept_volumes = {{"/kept", "abc"}, {"/of-image", "def"}};
  details.file_binds = {"/state/secret:/run/secrets/s:ro"};
  const auto spec = container_spec(planned, context(), details);
  EXPECT_THAT(spec.binds, ElementsAre("/srv:/srv:ro", "demo_data:/data:rw,nocopy", "abc:/kept:rw", "def:/of-image:rw",
                                      "/state/secret:/run/secrets/s:ro"));
  ASSERT_EQ(spec.mounts.size(), 2U);
  EXPECT_EQ(spec.mounts[0].source, "/there");
  EXPECT_EQ(spec.mounts[1].type, "tmpfs");
  EXPECT_EQ(spec.mounts[1].tmpfs_size, 1024);
  EXPECT_THAT(spec.volumes, ElementsAre("/anonymous"));
  EXPECT_THAT(spec.volumes_from, ElementsAre("demo-db-1:ro", "other"));
}

TEST(ContainerSpec, AHealthCheckWithoutTestChangesOnlyWhatItSays) {
  auto planned = unit();
  planned.spec.healthcheck.emplace().interval = std::chrono::seconds(7);
  const auto spec = container_spec(planned, context());
  EXPECT_THAT(spec.healthcheck->test, IsEmpty());
  EXPECT_EQ(spec.healthcheck->interval, std::chrono::seconds(7));
  EXPECT_EQ(spec.healthcheck->retries, 0);
  planned.spec.healthcheck->test = {"NONE"};
  EXPECT_EQ(container_spec(planned, context()).healthcheck->interval.count(), 0);
}

TEST(ContainerSpec, ExposesRangesAndPublishesThem) {
  auto planned = unit();
  planned.spec.expose = {"3000-3002/udp"};
  planned.spec.ports.push_back({"", 9000, 80, "tcp", 9010});
  const auto spec = container_spec(planned, context());
  EXPECT_EQ(spec.exposed_ports.size(), 4U);
  EXPECT_EQ(spec.port_bindings.at({80, "tcp"})[0].last_port, 9010);
}

TEST(Definitions, HaveLabelsThatTellAChange) {
  stack::NetworkDef network;
  network.key = "back";
  network.name = "demo_back";
  const auto before = network_spec(network, context()).labels;
  EXPECT_EQ(before.at("com.docker.compose.network"), "back");
  EXPECT_EQ(before.at("io.devstack.project"), "demo");
  network.internal = true;
  EXPECT_NE(network_spec(network, context()).labels.at("io.devstack.config-hash"),
            before.at("io.devstack.config-hash"));
  stack::VolumeDef volume;
  volume.key = "data";
  volume.name = "demo_data";
  const auto labels = volume_spec(volume, context()).labels;
  EXPECT_EQ(labels.at("com.docker.compose.volume"), "data");
  volume.driver_opts["type"] = "tmpfs";
  EXPECT_NE(volume_spec(volume, context()).labels.at("io.devstack.config-hash"), labels.at("io.devstack.config-hash"));
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
