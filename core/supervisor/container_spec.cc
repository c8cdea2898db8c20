#include "core/supervisor/container_spec.h"

#include <fmt/format.h>

#include <ctime>
#include <filesystem>
#include <set>

namespace devstack::supervisor {
namespace {

docker::StringMap labels_of(const stack::PlannedUnit& unit, const ContainerContext& context) {
  docker::StringMap labels(unit.spec.labels.begin(), unit.spec.labels.end());
  labels[label::project] = context.project;
  labels[label::unit] = unit.name;
  labels[label::service] = unit.service;
  labels[label::config_hash] = unit.config_hash;
  labels["com.docker.compose.project"] = context.project;
  labels["com.docker.compose.service"] = unit.service;
  labels["com.docker.compose.container-number"] = std::to_string(unit.number);
  labels["com.docker.compose.oneoff"] = "False";
  labels["com.docker.compose.config-hash"] = unit.config_hash;
  if (!context.stack_file.empty()) {
    labels["com.docker.compose.project.config_files"] = context.stack_file;
    labels["com.docker.compose.project.working_dir"] = std::filesystem::path(context.stack_file).parent_path().string();
  }
  return labels;
}

void add_ports(const stack::ServiceSpec& service, docker::ContainerSpec& spec) {
  std::set<docker::ContainerPort> exposed;
  for (const auto& text : service.expose) {
    if (auto port = docker::parse_container_port(text)) exposed.insert(*port);
  }
  for (const auto& mapping : service.ports) {
    const docker::ContainerPort port{mapping.target, mapping.protocol};
    exposed.insert(port);
    spec.port_bindings[port].push_back({mapping.host_ip, mapping.published});
  }
  spec.exposed_ports.assign(exposed.begin(), exposed.end());
  spec.publish_all = service.publish_all;
}

/// Compose's "service:db" is the engine's "container:<name>".
std::string network_of(const stack::PlannedUnit& unit, const ContainerContext& context) {
  if (on_project_network(unit)) return context.network;
  const std::string& mode = unit.spec.network_mode;
  if (mode.starts_with("service:")) return fmt::format("container:{}-{}-1", context.project, mode.substr(8));
  return mode;
}

}  // namespace

std::string container_name(const stack::PlannedUnit& unit, const std::string& project) {
  if (!unit.spec.container_name.empty()) return unit.spec.container_name;
  return fmt::format("{}-{}-{}", project, unit.service, unit.number);
}

bool on_project_network(const stack::PlannedUnit& unit) { return unit.spec.network_mode.empty(); }

docker::ContainerSpec container_spec(const stack::PlannedUnit& unit, const ContainerContext& context) {
  const stack::ServiceSpec& service = unit.spec;
  docker::ContainerSpec spec;
  spec.name = container_name(unit, context.project);
  spec.image = service.image;
  spec.command = service.command;
  spec.entrypoint = service.entrypoint;
  for (const auto& [key, value] : service.environment) spec.env.push_back(key + "=" + value);
  spec.labels = labels_of(unit, context);
  add_ports(service, spec);
  spec.network = network_of(unit, context);
  if (on_project_network(unit)) {
    spec.aliases = {unit.service};
    if (unit.name != unit.service) spec.aliases.push_back(unit.name);
  }
  const bool own_stack = !spec.network.starts_with("container:") && spec.network != "host" && spec.network != "none";
  if (own_stack) spec.dns = service.dns.empty() ? context.dns : service.dns;
  for (const auto& mount : service.volumes) {
    const std::string options = mount.read_only ? ":ro" : mount.selinux.empty() ? "" : ":" + mount.selinux;
    spec.binds.push_back(fmt::format("{}:{}{}", mount.source, mount.target, options));
  }
  spec.extra_hosts = service.extra_hosts;
  spec.hostname = service.hostname;
  spec.user = service.user;
  spec.working_dir = service.working_dir;
  spec.stop_signal = service.stop_signal;
  spec.stop_timeout_seconds =
      static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(service.stop_grace_period).count());
  if (service.healthcheck && !service.healthcheck->test.empty()) {
    docker::HealthcheckConfig check;
    check.test = service.healthcheck->test;
    check.interval = service.healthcheck->interval;
    check.timeout = service.healthcheck->timeout;
    check.start_period = service.healthcheck->start_period;
    check.retries = service.healthcheck->retries;
    spec.healthcheck = std::move(check);
  }
  return spec;
}

docker::StringMap network_labels(const ContainerContext& context) {
  return {{label::project, context.project},
          {"com.docker.compose.project", context.project},
          {"com.docker.compose.network", "default"}};
}

std::vector<std::string> container_addresses(const docker::Container& container) {
  std::vector<std::string> found;
  for (const auto& [name, endpoint] : container.networks) {
    if (endpoint.ip_address.empty()) continue;
    for (const auto& port : container.exposed_ports) {
      found.push_back(fmt::format("{}:{}", endpoint.ip_address, docker::to_string(port)));
    }
    if (container.exposed_ports.empty()) found.push_back(endpoint.ip_address);
  }
  std::set<std::uint16_t> seen;
  for (const auto& [port, bindings] : container.ports) {
    for (const auto& binding : bindings) {
      if (binding.host_port == 0 || !seen.insert(binding.host_port).second) continue;
      const bool any = binding.host_ip.empty() || binding.host_ip == "0.0.0.0" || binding.host_ip == "::";
      found.push_back(fmt::format("{}:{}", any ? "127.0.0.1" : binding.host_ip, binding.host_port));
    }
  }
  return found;
}

std::int64_t unix_time(const std::string& rfc3339) {
  std::tm parts{};
  if (::strptime(rfc3339.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr || parts.tm_year < 70) return 0;
  return ::timegm(&parts);
}

}  // namespace devstack::supervisor
