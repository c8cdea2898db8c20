#include <set>

#include "core/base/suggest.h"
#include "core/stack/checking.h"

namespace devstack::stack {
namespace {

/// What holds a port of the host.
struct Holder {
  std::string service, ip;
};

void check_host_ports(const Checking& in) {
  std::map<std::pair<int, std::string>, std::vector<Holder>> held;
  const auto claim = [&](const ServiceSpec& service, const std::string& ip, int port, const std::string& protocol) {
    if (port == 0) return;
    auto& holders = held[{port, protocol}];
    for (const auto& other : holders) {
      if (other.ip != ip && !other.ip.empty() && !ip.empty()) continue;
      in.report.error(in.where(service, "ports"), "services.{}.ports: host port {} is also published by \"{}\"",
                      service.name, port, other.service);
      return;
    }
    holders.push_back({service.name, ip});
  };
  for (const auto& [name, service] : in.file.services) {
    if (!service.containerised()) {
      if (service.process) claim(service, "", service.process->port, "tcp");
      continue;
    }
    for (const auto& port : service.ports) {
      // Of a range the engine takes a port that is free.
      if (port.published_last == 0) claim(service, port.host_ip, port.published, port.protocol);
    }
  }
}

void check_scale(const Checking& in) {
  for (const auto& [name, service] : in.file.services) {
    if (service.scale < 2) continue;
    const std::string_view key = in.find(service, "scale") == nullptr ? "deploy" : "scale";
    const auto at = in.where(service, key);
    if (!service.container_name.empty()) {
      in.report.error(at, "services.{}.{}: {} instances cannot share container_name \"{}\"", name, key, service.scale,
                      service.container_name);
    }
    for (const auto& port : service.ports) {
      if (!service.containerised() || port.published == 0) continue;
      if (port.published_last - port.published + 1 >= service.scale) continue;
      in.report.error(at, "services.{}.{}: {} instances cannot share host port {}: write \"{}\" in ports", name, key,
                      service.scale, port.published, port.target);
    }
    if (!service.containerised() && service.process && service.process->port != 0) {
      in.report.error(at, "services.{}.{}: {} instances cannot share port {}: write x-process.port: auto", name, key,
                      service.scale, service.process->port);
    }
  }
}

void check_container_names(const Checking& in) {
  std::map<std::string, std::string> taken;
  for (const auto& [name, service] : in.file.services) {
    if (service.container_name.empty()) continue;
    const auto [other, fresh] = taken.emplace(service.container_name, name);
    if (fresh) continue;
    in.report.error(in.where(service, "container_name"), "services.{}.container_name: \"{}\" also has the name \"{}\"",
                    name, other->second, service.container_name);
  }
}

bool can_be_healthy(const ServiceSpec& service) {
  if (service.healthcheck) return service.healthcheck->test.empty() || service.healthcheck->test.front() != "NONE";
  if (service.containerised()) return true;  // its image may bring a check
  return service.process && (service.process->auto_port || service.process->port != 0);
}

/// The key that makes a service depend on another.
std::string_view dependency_key(const Checking& in, const ServiceSpec& service, const std::string& name) {
  if (const Node* own = in.find(service, "depends_on")) {
    if (own->find(name) != nullptr) return "depends_on";
    for (const auto& item : own->items) {
      if (item.text == name) return "depends_on";
    }
  }
  for (const auto& link : service.links) {
    if (link.substr(0, link.find(':')) == name) return "links";
  }
  for (const auto& from : service.volumes_from) {
    if (from.substr(0, from.find(':')) == name) return "volumes_from";
  }
  if (service.network_mode == "service:" + name) return "network_mode";
  return service.isolation.ipc == "service:" + name ? "ipc" : "pid";
}

void check_dependency(const Checking& in, const ServiceSpec& service, const Dependency& dependency) {
  const auto key = dependency_key(in, service, dependency.service);
  const auto at = in.where(service, key);
  const auto found = in.file.services.find(dependency.service);
  if (found == in.file.services.end()) {
    std::vector<std::string_view> names;
    for (const auto& [name, other] : in.file.services) names.push_back(name);
    const auto text = fmt::format("services.{}.{}: no service \"{}\"{}", service.name, key, dependency.service,
                                  hint(dependency.service, names));
    if (dependency.required) {
      in.report.error(at, "{}", text);
    } else {
      in.report.warn(at, "{}: it is not waited for", text);
    }
  } else if (dependency.condition == DependencyCondition::healthy && !can_be_healthy(found->second)) {
    in.report.error(at, "services.{}.depends_on: \"{}\" can never be healthy: it has no healthcheck and no port",
                    service.name, dependency.service);
  }
}

void check_dependencies(const Checking& in) {
  auto known = in.file.services;
  for (auto& [name, service] : known) {
    for (const auto& dependency : service.depends_on) check_dependency(in, in.file.services.at(name), dependency);
    // What is undefined has been said; the cycle is looked for among the rest.
    std::erase_if(service.depends_on, [&](const Dependency& d) { return !in.file.services.contains(d.service); });
  }
  const auto order = start_order(known);
  if (order) return;
  // The first arrow of the message is the edge to complain of.
  for (const auto& [name, service] : known) {
    for (const auto& dependency : service.depends_on) {
      const auto edge = fmt::format(": {} -> {}", name, dependency.service);
      const auto at = order.error().message.find(edge);
      if (at == std::string::npos) continue;
      const auto after = order.error().message.substr(at + edge.size());
      if (!after.empty() && !after.starts_with(" -> ")) continue;
      const auto key = dependency_key(in, service, dependency.service);
      in.report.error(in.where(service, key), "services.{}.{}: {}", name, key, order.error().message);
    }
  }
}

void check_destinations(const Checking& in) {
  std::set<std::string> seen;
  const Node* ours = in.root.find("x-devstack");
  const Node* node = in.root.find("templates");
  if (node == nullptr && ours != nullptr) node = ours->find("templates");
  for (std::size_t i = 0; i < in.file.templates.size(); ++i) {
    const auto& destination = in.file.templates[i].destination;
    if (destination.empty() || seen.insert(destination).second) continue;
    const auto at = node != nullptr && i < node->items.size() ? node->items[i].at : SourcePos{};
    in.report.error(at, "templates[{}]: another template writes {} too", i, destination);
  }
}

constexpr void (*kRules[])(const Checking&) = {
    check_host_ports,   check_scale,      check_network_use, check_container_names, check_dependencies,
    check_destinations, check_references, check_mounts,      check_limits,          check_build_use,
};

/// A dependency that is not required and not there is as if it had not been written.
void drop_absent_dependencies(StackFile& file) {
  for (auto& [name, service] : file.services) {
    std::erase_if(service.depends_on,
                  [&](const Dependency& d) { return !d.required && !file.services.contains(d.service); });
  }
}

}  // namespace

void validate(StackFile& file, const Node& root, const Reading& in) {
  const Checking checking{file, root, in, in.report};
  for (const auto rule : kRules) rule(checking);
  drop_absent_dependencies(file);
}

}  // namespace devstack::stack
