#include "core/supervisor/container_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <set>

#include "core/stack/images.h"
#include "core/supervisor/container_mounts.h"

namespace devstack::supervisor {
namespace {

constexpr std::string_view by_service = "service:";

std::string join(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) all += (all.empty() ? "" : ",") + text;
  return all;
}

/// "db:service_healthy:false,cache:service_started:true"
std::string dependencies_of(const stack::ServiceSpec& service) {
  constexpr std::string_view conditions[] = {"service_started", "service_healthy", "service_completed_successfully"};
  std::vector<std::string> all;
  for (const auto& on : service.depends_on) {
    all.push_back(fmt::format("{}:{}:{}", on.service, conditions[static_cast<std::size_t>(on.condition)], on.restart));
  }
  return join(all);
}

docker::StringMap labels_of(const stack::PlannedUnit& unit, const ContainerContext& context,
                            const ContainerDetails& details) {
  docker::StringMap labels(unit.spec.labels.begin(), unit.spec.labels.end());
  labels[label::project] = context.project;
  labels[label::unit] = unit.name;
  labels[label::service] = unit.service;
  labels[label::config_hash] = unit.config_hash;
  labels[label::compose_project] = context.project;
  labels[label::compose_service] = unit.service;
  labels[label::one_off] = "False";
  labels["com.docker.compose.container-number"] = std::to_string(unit.number);
  labels["com.docker.compose.config-hash"] = unit.config_hash;
  labels["com.docker.compose.depends_on"] = dependencies_of(unit.spec);
  if (!details.image_id.empty()) labels["com.docker.compose.image"] = details.image_id;
  if (!context.version.empty()) labels["com.docker.compose.version"] = context.version;
  if (!context.files.empty()) labels["com.docker.compose.project.config_files"] = join(context.files);
  if (!context.env_files.empty()) labels["com.docker.compose.project.environment_file"] = join(context.env_files);
  if (!context.project_dir.empty()) labels["com.docker.compose.project.working_dir"] = context.project_dir;
  return labels;
}

/// "3000-3005/udp" is six ports.
void expose(const std::string& text, std::set<docker::ContainerPort>& into) {
  const auto dash = text.find('-');
  if (dash == std::string::npos) {
    if (auto port = docker::parse_container_port(text)) into.insert(*port);
    return;
  }
  const auto last = docker::parse_container_port(std::string_view(text).substr(dash + 1));
  auto first = docker::parse_container_port(std::string_view(text).substr(0, dash));
  if (!first || !last) return;
  for (int port = first->port; port <= last->port; ++port) {
    into.insert({static_cast<std::uint16_t>(port), last->protocol});
  }
}

void add_ports(const stack::ServiceSpec& service, docker::ContainerSpec& spec) {
  std::set<docker::ContainerPort> exposed;
  for (const auto& text : service.expose) expose(text, exposed);
  for (const auto& mapping : service.ports) {
    const docker::ContainerPort port{mapping.target, mapping.protocol};
    exposed.insert(port);
    spec.port_bindings[port].push_back({mapping.host_ip, mapping.published, mapping.published_last});
  }
  spec.exposed_ports.assign(exposed.begin(), exposed.end());
  spec.publish_all = service.publish_all;
}

/// Compose's "service:db" is the engine's "container:<id>".
std::string engine_mode(const std::string& mode, const ContainerContext& context, const ContainerDetails& details) {
  if (!mode.starts_with(by_service)) return mode;
  const auto service = mode.substr(by_service.size());
  if (const auto id = details.ids.find(service); id != details.ids.end()) return "container:" + id->second;
  return fmt::format("container:{}-{}-1", context.project, service);
}

/// "db:alias" becomes each of its containers under that name, and by number as Compose names them.
void add_links(const stack::ServiceSpec& service, const ContainerContext& context, std::vector<std::string>& into) {
  const auto add = [&into](const std::string& link) {
    if (std::find(into.begin(), into.end(), link) == into.end()) into.push_back(link);
  };
  for (const auto& text : service.links) {
    const auto colon = text.find(':');
    const auto linked = text.substr(0, colon);
    const auto alias = colon == std::string::npos ? linked : text.substr(colon + 1);
    const auto known = context.containers.find(linked);
    if (known == context.containers.end()) continue;
    for (std::size_t at = 0; at < known->second.size(); ++at) {
      const auto& name = known->second[at];
      add(name + ":" + alias);
      add(fmt::format("{}:{}-{}", name, linked, at + 1));
      add(fmt::format("{}:{}-{}-{}", name, context.project, linked, at + 1));
    }
  }
  for (const auto& text : service.external_links) {
    into.push_back(text.find(':') == std::string::npos ? text + ":" + text : text);
  }
}

docker::EndpointSpec endpoint_of(const stack::NetworkAttachment& at, const stack::PlannedUnit& unit,
                                 const ContainerContext& context) {
  docker::EndpointSpec endpoint;
  endpoint.network = context.network(at.network).name;
  const auto add = [&endpoint](const std::string& alias) {
    auto& all = endpoint.aliases;
    if (std::find(all.begin(), all.end(), alias) == all.end()) all.push_back(alias);
  };
  add(container_name(unit, context.project));
  add(unit.service);
  add(unit.name);
  for (const auto& alias : at.aliases) add(alias);
  add_links(unit.spec, context, endpoint.links);
  endpoint.link_local_ips = at.link_local_ips;
  endpoint.ipv4_address = at.ipv4_address;
  endpoint.ipv6_address = at.ipv6_address;
  endpoint.mac_address = at.mac_address;
  endpoint.driver_opts = at.driver_opts;
  endpoint.gw_priority = at.gw_priority;
  return endpoint;
}

void add_networks(const stack::PlannedUnit& unit, const ContainerContext& context, const ContainerDetails& details,
                  docker::ContainerSpec& spec) {
  const stack::ServiceSpec& service = unit.spec;
  spec.mac_address = service.mac_address;
  if (!service.network_mode.empty()) {
    spec.network = engine_mode(service.network_mode, context, details);
    if (spec.network == "bridge") add_links(service, context, spec.links);
  }
  for (const auto& at : attachments(service)) spec.endpoints.push_back(endpoint_of(at, unit, context));
  if (!spec.endpoints.empty()) {
    spec.network = spec.endpoints.front().network;
    if (spec.endpoints.front().mac_address.empty()) spec.endpoints.front().mac_address = service.mac_address;
    if (spec.mac_address.empty()) spec.mac_address = spec.endpoints.front().mac_address;
  }
  const bool own_stack = !spec.network.starts_with("container:") && spec.network != "host" && spec.network != "none";
  if (own_stack) spec.dns = service.dns.empty() ? context.dns : service.dns;
  spec.dns_search = service.dns_search;
  spec.dns_options = service.dns_opt;
  spec.extra_hosts = service.extra_hosts;
}

void add_isolation(const stack::ServiceSpec& service, const ContainerContext& context, const ContainerDetails& details,
                   docker::ContainerSpec& spec) {
  const auto& from = service.isolation;
  spec.cap_add = from.cap_add;
  spec.cap_drop = from.cap_drop;
  spec.security_opt = from.security_opt;
  spec.group_add = from.group_add;
  spec.device_cgroup_rules = from.device_cgroup_rules;
  spec.privileged = from.privileged;
  spec.read_only = from.read_only;
  spec.init = from.init;
  spec.tty = from.tty;
  spec.stdin_open = from.stdin_open;
  for (const auto& device : from.devices) spec.devices.push_back({device.source, device.target, device.permissions});
  spec.pid_mode = engine_mode(from.pid, context, details);
  spec.ipc_mode = engine_mode(from.ipc, context, details);
  spec.uts_mode = from.uts;
  spec.cgroupns_mode = from.cgroup;
  spec.cgroup_parent = from.cgroup_parent;
  spec.runtime = from.runtime;
  spec.shm_size = from.shm_size;
  for (const auto& [name, limit] : from.ulimits) spec.ulimits.push_back({name, limit.soft, limit.hard});
  spec.sysctls = from.sysctls;
  spec.annotations = from.annotations;
}

docker::ResourceSpec resources_of(const stack::Resources& from) {
  docker::ResourceSpec out;
  out.nano_cpus = from.nano_cpus;
  out.cpu_shares = from.cpu_shares;
  out.cpu_period = from.cpu_period;
  out.cpu_quota = from.cpu_quota;
  out.cpuset = from.cpuset;
  out.memory = from.memory;
  out.memory_reservation = from.memory_reservation;
  out.memory_and_swap = from.memory_and_swap;
  out.swappiness = from.swappiness;
  out.pids = from.pids;
  out.oom_score_adj = from.oom_score_adj;
  out.oom_kill_disable = from.oom_kill_disable;
  return out;
}

/// Without a test of its own a check says how the image's is run: what it does not say stays the image's, too.
docker::HealthcheckConfig healthcheck_of(const stack::Healthcheck& from) {
  const stack::Healthcheck unsaid;
  const bool own = !from.test.empty();
  docker::HealthcheckConfig check;
  check.test = from.test;
  if (own && from.test.front() == "NONE") return check;
  if (own || from.interval != unsaid.interval) check.interval = from.interval;
  if (own || from.timeout != unsaid.timeout) check.timeout = from.timeout;
  if (own || from.retries != unsaid.retries) check.retries = from.retries;
  check.start_period = from.start_period;
  check.start_interval = from.start_interval;
  return check;
}

}  // namespace

stack::NetworkDef ContainerContext::network(const std::string& key) const {
  const auto known = networks.find(key);
  if (known != networks.end()) return known->second;
  stack::NetworkDef undefined;
  undefined.key = key;
  undefined.name = project + "_" + key;
  return undefined;
}

stack::VolumeDef ContainerContext::volume(const std::string& key) const {
  const auto known = volumes.find(key);
  if (known != volumes.end()) return known->second;
  stack::VolumeDef undefined;
  undefined.key = key;
  undefined.name = project + "_" + key;
  return undefined;
}

std::string container_name(const stack::PlannedUnit& unit, const std::string& project) {
  if (!unit.spec.container_name.empty()) return unit.spec.container_name;
  return fmt::format("{}-{}-{}", project, unit.service, unit.number);
}

std::vector<stack::NetworkAttachment> attachments(const stack::ServiceSpec& service) {
  if (!service.network_mode.empty()) return {};
  auto all = service.networks;
  if (all.empty()) all.emplace_back().network = "default";
  std::stable_sort(all.begin(), all.end(), [](const auto& one, const auto& other) {
    return one.priority != other.priority ? one.priority > other.priority : one.network < other.network;
  });
  return all;
}

stack::Texts namespace_parents(const stack::ServiceSpec& service) {
  stack::Texts all;
  for (const auto* mode : {&service.network_mode, &service.isolation.pid, &service.isolation.ipc}) {
    if (mode->starts_with(by_service)) all.push_back(mode->substr(by_service.size()));
  }
  return all;
}

docker::ContainerSpec container_spec(const stack::PlannedUnit& unit, const ContainerContext& context,
                                     const ContainerDetails& details) {
  const stack::ServiceSpec& service = unit.spec;
  docker::ContainerSpec spec;
  spec.name = container_name(unit, context.project);
  spec.image = stack::image_name(service, context.project);
  spec.platform = service.platform;
  spec.command = service.command;
  spec.entrypoint = service.entrypoint;
  spec.no_entrypoint = service.no_entrypoint;
  spec.no_command = service.no_command;
  // The engine falls back to the image's command unless it is told an entrypoint.
  if (service.no_command && service.entrypoint.empty()) spec.entrypoint = details.image_entrypoint;
  for (const auto& [key, value] : service.environment) spec.env.push_back(key + "=" + value);
  spec.labels = labels_of(unit, context, details);
  add_ports(service, spec);
  add_networks(unit, context, details, spec);
  add_mounts(service, context, details, spec);
  add_isolation(service, context, details, spec);
  spec.resources = resources_of(service.resources);
  if (service.logging) {
    spec.log_driver = service.logging->driver;
    spec.log_options = service.logging->options;
  }
  spec.hostname = service.hostname;
  spec.domainname = service.domainname;
  spec.user = service.user;
  spec.working_dir = service.working_dir;
  spec.stop_signal = service.stop_signal;
  spec.stop_timeout_seconds =
      static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(service.stop_grace_period).count());
  if (service.healthcheck) spec.healthcheck = healthcheck_of(*service.healthcheck);
  return spec;
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
