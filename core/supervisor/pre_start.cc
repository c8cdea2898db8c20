#include "core/supervisor/pre_start.h"

#include <fmt/format.h>

namespace devstack::supervisor {

stack::PlannedUnit step_unit(stack::PlannedUnit unit, std::size_t at) {
  const stack::Hook step = unit.spec.pre_start.at(at);
  auto& spec = unit.spec;
  spec.command = step.command;
  spec.no_command = false;
  // The service's entrypoint is for its own command: a step has the one of its image.
  spec.entrypoint.clear();
  spec.no_entrypoint = false;
  if (!step.image.empty()) {
    spec.image = step.image;
    spec.build.reset();
  }
  if (!step.user.empty()) spec.user = step.user;
  if (!step.working_dir.empty()) spec.working_dir = step.working_dir;
  for (const auto& [name, value] : step.environment) spec.environment[name] = value;
  spec.isolation.privileged = spec.isolation.privileged || step.privileged;
  spec.isolation.tty = spec.isolation.stdin_open = false;
  spec.ports.clear();
  spec.expose.clear();
  spec.publish_all = false;
  spec.hostname.clear();
  spec.domainname.clear();
  spec.stop_signal.clear();
  spec.healthcheck.emplace().test = {"NONE"};
  return unit;
}

docker::ContainerSpec step_spec(docker::ContainerSpec made, std::size_t at, const std::string& container) {
  made.name += fmt::format("-pre_start-{}", at + 1);
  made.labels[label::one_off] = "True";
  made.labels[label::hook] = "pre_start";
  // Its image may expose ports, and what listens on them is not the service yet.
  made.labels["SERVICE_IGNORE"] = "true";
  made.mac_address.clear();
  for (auto& endpoint : made.endpoints) {
    endpoint.aliases.clear();
    endpoint.link_local_ips.clear();
    endpoint.ipv4_address.clear();
    endpoint.ipv6_address.clear();
    endpoint.mac_address.clear();
  }
  made.binds.clear();
  made.mounts.clear();
  made.volumes.clear();
  made.tmpfs.clear();
  made.volumes_from = {container};
  return made;
}

}  // namespace devstack::supervisor
