#include "core/supervisor/pre_start.h"

#include <gmock/gmock.h>

#include "core/supervisor/supervisor.h"

namespace devstack::supervisor {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

stack::PlannedUnit service() {
  stack::PlannedUnit planned;
  planned.name = planned.service = planned.spec.name = "web";
  planned.config_hash = "1:abc";
  auto& spec = planned.spec;
  spec.image = "nginx";
  spec.command = {"serve"};
  spec.entrypoint = {"/start"};
  spec.user = "7";
  spec.working_dir = "/srv";
  spec.hostname = "web";
  spec.environment = {{"A", "1"}, {"B", "1"}};
  spec.isolation.cap_drop = {"ALL"};
  spec.isolation.tty = true;
  spec.extra_hosts = {"db:10.0.0.1"};
  spec.expose = {"81"};
  auto& port = spec.ports.emplace_back();
  port.target = 80;
  port.published = 8080;
  spec.tmpfs = {"/tmp"};
  auto& mount = spec.volumes.emplace_back();
  mount.kind = stack::MountKind::bind;
  mount.source = "/data";
  mount.target = "/data";
  auto& at = spec.networks.emplace_back();
  at.network = "back";
  at.aliases = {"www"};
  at.ipv4_address = "10.1.0.5";
  stack::Hook migrate, seed;
  migrate.command = {"migrate", "up"};
  seed.command = {"seed"};
  seed.image = "example/tools";
  seed.user = "root";
  seed.working_dir = "/tools";
  seed.privileged = true;
  seed.environment = {{"B", "2"}, {"C", "3"}};
  spec.pre_start = {migrate, seed};
  return planned;
}

docker::ContainerSpec step(std::size_t at) {
  const ContainerContext context{"demo", "/srv/demo", {}, {}, "1.0"};
  return step_spec(container_spec(step_unit(service(), at), context), at, "0123abcd");
}

TEST(PreStart, AStepRunsAsTheServiceWhereItSaysNothingElse) {
  const auto spec = step(0);
  EXPECT_EQ(spec.name, "demo-web-1-pre_start-1");
  EXPECT_EQ(spec.image, "nginx");
  EXPECT_THAT(spec.command, ElementsAre("migrate", "up"));
  EXPECT_THAT(spec.entrypoint, IsEmpty()) << "its image's";
  EXPECT_EQ(spec.user, "7");
  EXPECT_EQ(spec.working_dir, "/srv");
  EXPECT_FALSE(spec.privileged);
  EXPECT_THAT(spec.env, ElementsAre("A=1", "B=1"));
  EXPECT_THAT(spec.cap_drop, ElementsAre("ALL"));
  EXPECT_THAT(spec.extra_hosts, ElementsAre("db:10.0.0.1"));
}

TEST(PreStart, AStepHasWhatItNamesItself) {
  const auto spec = step(1);
  EXPECT_EQ(spec.name, "demo-web-1-pre_start-2");
  EXPECT_EQ(spec.image, "example/tools");
  EXPECT_EQ(spec.user, "root");
  EXPECT_EQ(spec.working_dir, "/tools");
  EXPECT_TRUE(spec.privileged);
  EXPECT_THAT(spec.env, ElementsAre("A=1", "B=2", "C=3"));
}

TEST(PreStart, AStepSharesTheContainersMountsAndNetworksAndNothingElseOfIt) {
  const auto spec = step(0);
  EXPECT_THAT(spec.volumes_from, ElementsAre("0123abcd"));
  EXPECT_THAT(spec.binds, IsEmpty());
  EXPECT_THAT(spec.mounts, IsEmpty());
  EXPECT_THAT(spec.tmpfs, IsEmpty());
  EXPECT_EQ(spec.network, "demo_back");
  ASSERT_EQ(spec.endpoints.size(), 1U);
  EXPECT_THAT(spec.endpoints[0].aliases, IsEmpty()) << "nobody takes it for the service";
  EXPECT_EQ(spec.endpoints[0].ipv4_address, "");
  EXPECT_THAT(spec.port_bindings, IsEmpty());
  EXPECT_THAT(spec.exposed_ports, IsEmpty());
  EXPECT_EQ(spec.hostname, "");
  EXPECT_FALSE(spec.tty);
  ASSERT_TRUE(spec.healthcheck);
  EXPECT_THAT(spec.healthcheck->test, ElementsAre("NONE"));
}

TEST(PreStart, AStepIsFoundByDownAndNotRegistered) {
  const auto labels = step(0).labels;
  EXPECT_THAT(labels, Contains(testing::Pair("io.devstack.project", "demo")));
  EXPECT_THAT(labels, Contains(testing::Pair("io.devstack.unit", "web")));
  EXPECT_THAT(labels, Contains(testing::Pair("io.devstack.hook", "pre_start")));
  EXPECT_THAT(labels, Contains(testing::Pair("com.docker.compose.project", "demo")));
  EXPECT_THAT(labels, Contains(testing::Pair("com.docker.compose.oneoff", "True")));
  EXPECT_THAT(labels, Contains(testing::Pair("SERVICE_IGNORE", "true")));
}

TEST(PreStart, ImagesOfStepsGoWithAllOfTheStack) {
  stack::Plan plan;
  plan.project = "demo";
  plan.units = {service()};
  plan.units[0].spec.image.clear();
  plan.units[0].spec.build.emplace();
  EXPECT_THAT(images_of(plan, RemoveImages::all), ElementsAre("demo-web", "example/tools"));
  EXPECT_THAT(images_of(plan, RemoveImages::local), ElementsAre("demo-web")) << "only what was built here";
  EXPECT_THAT(images_of(plan, RemoveImages::none), IsEmpty());
}

}  // namespace
}  // namespace devstack::supervisor
