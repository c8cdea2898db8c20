#include "core/stack/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/stack/load.h"

namespace devstack::stack {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Plan plan(std::string_view text, EngineAvailable engine = EngineAvailable::yes) {
  const auto file = test::read(text);
  if (!file) {
    ADD_FAILURE() << file.error().to_string();
    return {};
  }
  auto made = make_plan(*file, engine);
  if (!made) ADD_FAILURE() << made.error().to_string();
  return made.value_or(Plan{});
}

std::vector<std::string> names(const std::vector<PlannedUnit>& units) {
  std::vector<std::string> out;
  for (const auto& unit : units) out.push_back(unit.name);
  return out;
}

constexpr std::string_view kThree =
    "name: p\nservices:\n  a: {image: x, depends_on: [c]}\n  b: {image: x}\n  c: {image: x, depends_on: [d]}\n"
    "  d: {image: x, scale: 2}\n";

TEST(Plan, StartsDependenciesFirst) {
  const auto made = plan(kThree);
  EXPECT_EQ(made.project, "p");
  EXPECT_THAT(names(made.units), ElementsAre("d", "d-2", "c", "a", "b"));
  EXPECT_EQ(made.units[1].number, 2);
  EXPECT_EQ(made.units[1].service, "d");
}

TEST(Plan, NamesACycle) {
  StackFile file;
  file.services["a"].name = "a";
  file.services["a"].depends_on = {{.service = "b"}};
  file.services["b"].name = "b";
  file.services["b"].depends_on = {{.service = "a"}};
  const auto made = make_plan(file, EngineAvailable::yes);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::stack_file);
  EXPECT_EQ(made.error().message, "services wait for each other: a -> b -> a");
}

TEST(Plan, WithoutAnEngineTheStandInRuns) {
  constexpr std::string_view text =
      "services:\n  web: {image: x, healthcheck: {test: [CMD, /in/side]}, x-process: {command: [hello], port: auto}}\n";
  EXPECT_EQ(plan(text).units.at(0).kind, UnitKind::container);
  EXPECT_TRUE(plan(text).units.at(0).spec.healthcheck);
  const auto without = plan(text, EngineAvailable::no);
  EXPECT_EQ(without.units.at(0).kind, UnitKind::process);
  EXPECT_FALSE(without.units.at(0).spec.healthcheck);
}

TEST(Plan, WithoutAnEngineAndStandInTheFirstServiceIsNamed) {
  const auto file = test::read("services:\n  web: {image: x}\n");
  const auto made = make_plan(*file, EngineAvailable::no);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::docker_unreachable);
  EXPECT_EQ(made.error().to_string(),
            "stack.yaml:2:3: services.web needs Docker and no engine answers: start Docker, or give it an `x-process` "
            "stand-in");
}

TEST(Plan, AHostProcessNeedsNoEngine) {
  EXPECT_EQ(plan("services:\n  w: {command: ./w}\n", EngineAvailable::no).units.at(0).kind, UnitKind::process);
}

std::string hash_of(std::string_view service) {
  return plan(fmt::format("services:\n  db: {{image: y}}\n  web: {{{}}}\n", service)).units.back().config_hash;
}

TEST(ConfigHash, StaysTheSameFromBuildToBuild) {
  // A change of this value recreates every container of every user: it needs a new version prefix and a good reason.
  EXPECT_EQ(hash_of("image: nginx, ports: ['80:80'], environment: {A: b}"), "1:09a029ed321c9be5be891d66b8d456de");
}

TEST(ConfigHash, StaysTheSameFromBuildToBuildForAllTheFirstKeys) {
  EXPECT_EQ(
      hash_of("image: nginx, command: run 'a b', entrypoint: [/e, x], ports: ['127.0.0.1:80:80/udp', 90], "
              "environment: {A: b}, labels: {c: d}, healthcheck: {test: x, interval: 1s, timeout: 2s, start_period: "
              "3s, retries: 4}, restart: 'on-failure:3', expose: [70], volumes: ['/a:/b:ro', '/c:/d', '/e:/f:z'], "
              "container_name: n, hostname: h, user: u, working_dir: /w, stop_signal: SIGINT, stop_grace_period: 20s, "
              "extra_hosts: {e: 10.0.0.1}, dns: 10.0.0.2, network_mode: none, x-devstack: {publish_all: true}, "
              "x-process: {command: go, port: 99, healthcheck: {test: y}}"),
      "1:15c8a6589f095d7ab201433571dc7fd5");
  EXPECT_EQ(hash_of("command: ['./run', $PORT], x-process: {port: auto}, user: me, working_dir: sub, restart: always"),
            "1:ca1cfc5fddef070c615178a9ec61d794");
}

TEST(ConfigHash, IsTheSameForAnotherSpelling) {
  EXPECT_EQ(hash_of("image: x, ports: ['80:81'], environment: [B=2, A=1], restart: 'no'"),
            hash_of("image: x, environment: {A: 1, B: 2}, ports: [{target: 81, published: 80}], scale: 1"));
}

TEST(ConfigHash, IgnoresScaleAndDependencies) {
  EXPECT_EQ(hash_of("image: x"), hash_of("image: x, scale: 3, depends_on: [db]"));
}

TEST(ConfigHash, IgnoresWhatTheContainerIsNotMadeFrom) {
  const auto base = hash_of("image: x");
  for (const auto* changed : {"image: x, build: .", "image: x, pull_policy: always", "image: x, deploy: {replicas: 2}",
                              "image: x, attach: false", "image: x, x-devstack: {wait_for: {keys: [k]}}",
                              "image: x, develop: {watch: [{action: restart, path: a}]}"}) {
    EXPECT_EQ(hash_of(changed), base) << changed;
  }
}

TEST(ConfigHash, ChangesWithTheValueOfAConfigButNotOfAFile) {
  const auto hash = [](std::string_view config) {
    return plan(fmt::format("services:\n  a: {{image: x, configs: [c]}}\nconfigs: {{c: {{{}}}}}\n", config))
        .units.at(0)
        .config_hash;
  };
  EXPECT_NE(hash("content: a"), hash("content: b"));
  EXPECT_EQ(hash("file: a"), hash("file: b"));
}

TEST(ConfigHash, ChangesWithWhatTheContainerIsMadeFrom) {
  const auto base = hash_of("image: x");
  for (const auto* changed : {"image: y",
                              "image: x, command: a",
                              "image: x, environment: {A: b}",
                              "image: x, ports: ['80']",
                              "image: x, labels: {a: b}",
                              "image: x, volumes: ['./a:/a']",
                              "image: x, restart: always",
                              "image: x, healthcheck: {test: a}",
                              "image: x, user: u",
                              "image: x, stop_signal: SIGINT",
                              "image: x, init: true",
                              "image: x, command: []",
                              "image: x, entrypoint: ''",
                              "image: x, networks: {default: {aliases: [a]}}",
                              "image: x, tmpfs: /a",
                              "image: x, mem_limit: 1g",
                              "image: x, cap_add: [ALL]",
                              "image: x, devices: [/dev/null]",
                              "image: x, volumes: [/a]",
                              "image: x, logging: {driver: none}",
                              "image: x, ports: ['80-81:80']",
                              "image: x, pre_start: [{command: a}]",
                              "image: x, pre_start: [{command: a, image: y}]",
                              "image: x, pre_start: [{command: a, per_replica: true}]",
                              "image: x, post_start: [{command: a}]",
                              "image: x, sysctls: {a: 1}",
                              "image: x, platform: linux/arm64"}) {
    EXPECT_NE(hash_of(changed), base) << changed;
  }
}

TEST(Plan, HasTheNetworksVolumesAndFilesThatContainersUse) {
  const auto made = plan(R"(
name: p
services:
  a: {image: x, networks: [front], volumes: ["data:/data", /anonymous], configs: [c], secrets: [s]}
  b: {build: {context: ., secrets: [of_build]}, network_mode: none, volumes: ["given:/given"]}
  c: {command: ./c}
  off: {image: x, scale: 0, networks: [back]}
networks: {front: , back: , default: }
volumes: {data: , unused: , given: {external: true, name: theirs}}
configs: {c: {content: text}, unused: {content: x}}
secrets: {s: {file: s.txt}, of_build: {file: b.txt}}
)");
  ASSERT_EQ(made.networks.size(), 1U);
  EXPECT_EQ(made.networks[0].name, "p_front");
  ASSERT_EQ(made.volumes.size(), 2U);
  EXPECT_EQ(made.volumes[0].name, "p_data");
  EXPECT_EQ(made.volumes[1].name, "theirs");
  EXPECT_EQ(made.configs.at("c").content, "text");
  EXPECT_FALSE(made.configs.contains("unused"));
  EXPECT_EQ(made.secrets.at("s").file, "/project/s.txt");
  EXPECT_TRUE(made.secrets.contains("of_build"));
  EXPECT_EQ(made.units[1].kind, UnitKind::container);
}

TEST(Plan, ASharedNetworkIsCalledAsTheFileSays) {
  EXPECT_EQ(plan("name: p\nservices: {a: {image: x}}\n").networks.at(0).name, "p_default");
  EXPECT_EQ(plan("services: {a: {image: x}}\nnetworks: {default: {name: ours}}\n").networks.at(0).name, "ours");
  EXPECT_TRUE(plan("services: {a: {command: x}}\n").networks.empty());
}

TEST(Plan, WhatSharesAnothersNamespaceStartsAfterIt) {
  EXPECT_THAT(names(plan("services:\n  a: {image: x, network_mode: 'service:c'}\n  b: {image: x, links: ['c:d']}\n"
                         "  c: {image: x, volumes_from: [d]}\n  d: {image: x}\n")
                        .units),
              ElementsAre("d", "c", "a", "b"));
}

TEST(PlanDiff, OfEqualPlansIsEmpty) { EXPECT_TRUE(diff(plan(kThree), plan(kThree)).empty()); }

TEST(PlanDiff, CreatesInStartOrderAndRemovesInStopOrder) {
  const auto all = plan(kThree);
  EXPECT_THAT(names(diff({}, all).create), ElementsAre("d", "d-2", "c", "a", "b"));
  EXPECT_THAT(diff(all, {}).remove, ElementsAre("b", "a", "c", "d-2", "d"));
}

TEST(PlanDiff, RecreatesOnlyWhatChanged) {
  const auto before = plan("services:\n  a: {image: x}\n  b: {image: x}\n  c: {image: x, scale: 2}\n");
  const auto after = plan("services:\n  a: {image: x}\n  b: {image: y}\n  c: {image: x}\n  d: {image: x}\n");
  const auto changes = diff(before, after);
  EXPECT_THAT(names(changes.create), ElementsAre("d"));
  EXPECT_THAT(names(changes.recreate), ElementsAre("b"));
  EXPECT_THAT(changes.remove, ElementsAre("c-2"));
}

}  // namespace
}  // namespace devstack::stack
