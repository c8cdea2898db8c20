#include <set>

#include "core/base/suggest.h"
#include "core/stack/read.h"

namespace devstack::stack {
namespace {

struct Checking {
  const StackFile& file;
  const Node& root;
  Diagnostics& report;

  /// Where a key of a service stands, or the service itself.
  [[nodiscard]] SourcePos where(const ServiceSpec& service, std::string_view key) const {
    const Node* services = root.find("services");
    const Node* node = services == nullptr ? nullptr : services->find(service.name);
    const Node* value = node == nullptr ? nullptr : node->find(key);
    return value == nullptr ? service.at : value->at;
  }
};

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
    if (service.image.empty()) {
      if (service.process) claim(service, "", service.process->port, "tcp");
      continue;
    }
    for (const auto& port : service.ports) claim(service, port.host_ip, port.published, port.protocol);
  }
}

void check_scale(const Checking& in) {
  for (const auto& [name, service] : in.file.services) {
    if (service.scale < 2) continue;
    const auto at = in.where(service, "scale");
    if (!service.container_name.empty()) {
      in.report.error(at, "services.{}.scale: {} instances cannot share container_name \"{}\"", name, service.scale,
                      service.container_name);
    }
    for (const auto& port : service.ports) {
      if (service.image.empty() || port.published == 0) continue;
      in.report.error(at, "services.{}.scale: {} instances cannot share host port {}: write \"{}\" in ports", name,
                      service.scale, port.published, port.target);
    }
    if (service.image.empty() && service.process && service.process->port != 0) {
      in.report.error(at, "services.{}.scale: {} instances cannot share port {}: write x-process.port: auto", name,
                      service.scale, service.process->port);
    }
  }
}

void check_network_mode(const Checking& in) {
  for (const auto& [name, service] : in.file.services) {
    if (service.network_mode != "host" || service.ports.empty()) continue;
    in.report.error(in.where(service, "network_mode"),
                    "services.{}.network_mode: `ports` do nothing in host mode: remove one of the two", name);
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
  if (!service.image.empty()) return true;  // its image may bring a check
  return service.process && (service.process->auto_port || service.process->port != 0);
}

void check_dependency(const Checking& in, const ServiceSpec& service, const Dependency& dependency) {
  const auto at = in.where(service, "depends_on");
  const auto found = in.file.services.find(dependency.service);
  if (found == in.file.services.end()) {
    std::vector<std::string_view> names;
    for (const auto& [name, other] : in.file.services) names.push_back(name);
    const auto meant = nearest(dependency.service, names);
    const auto hint = meant ? fmt::format("; did you mean \"{}\"?", *meant) : "";
    if (dependency.required) {
      in.report.error(at, "services.{}.depends_on: no service \"{}\"{}", service.name, dependency.service, hint);
    } else {
      in.report.warn(at, "services.{}.depends_on: no service \"{}\"{}", service.name, dependency.service, hint);
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
  // The cycle's first name is the text between the last blank before the first arrow and that arrow.
  for (const auto& [name, service] : known) {
    if (order.error().message.find(": " + name + " -> ") == std::string::npos) continue;
    in.report.error(in.where(service, "depends_on"), "services.{}.depends_on: {}", name, order.error().message);
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
    check_host_ports, check_scale, check_network_mode, check_container_names, check_dependencies, check_destinations,
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
  const Checking checking{file, root, in.report};
  for (const auto rule : kRules) rule(checking);
  drop_absent_dependencies(file);
}

}  // namespace devstack::stack
