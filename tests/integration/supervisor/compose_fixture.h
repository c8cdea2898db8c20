#pragma once

#include "tests/integration/supervisor/stack_fixture.h"

/// Projects with networks and volumes of their own, looked at from outside.
namespace devstack::supervisor {

class ComposeTest : public SupervisorTest {
 protected:
  void TearDown() override {
    SupervisorTest::TearDown();
    EXPECT_EQ(networks(), "") << "left behind";
    shell("docker network ls -q --filter label=io.devstack.project=" + project + " | xargs -r docker network rm");
    shell("docker volume ls -q --filter label=io.devstack.project=" + project + " | xargs -r docker volume rm");
  }
  std::string networks() const {
    return shell("docker network ls --filter label=com.docker.compose.project=" + project +
                 " --format '{{.Name}}' | sort");
  }
  std::string volumes() const {
    return shell("docker volume ls -q --filter label=com.docker.compose.project=" + project + " | sort");
  }
  std::string inspect(const std::string& name, const std::string& format) const {
    return shell("docker inspect -f '" + format + "' " + name + " 2>&1");
  }
  std::string name_of(const std::string& service, int number = 1) const {
    return project + "-" + service + "-" + std::to_string(number);
  }
  stack::NetworkDef network(const std::string& key) const {
    stack::NetworkDef def;
    def.key = key;
    def.name = project + "_" + key;
    return def;
  }
  stack::VolumeDef volume(const std::string& key) const {
    stack::VolumeDef def;
    def.key = key;
    def.name = project + "_" + key;
    return def;
  }
  static void mount(stack::PlannedUnit& unit, stack::MountKind kind, const std::string& source,
                    const std::string& target) {
    auto& added = unit.spec.volumes.emplace_back();
    added.kind = kind;
    added.source = source;
    added.target = target;
  }
  static stack::PlannedUnit instance(stack::PlannedUnit unit, int number) {
    unit.number = number;
    if (number > 1) unit.name += "-" + std::to_string(number);
    return unit;
  }
  static DownOptions with_volumes() {
    DownOptions options;
    options.volumes = true;
    return options;
  }
  static void down(Stack& stack, DownOptions options) {
    const auto result = test::run(stack.io, stack.supervisor->down(options), 60s);
    EXPECT_TRUE(result) << result.error().message;
  }
};

}  // namespace devstack::supervisor
