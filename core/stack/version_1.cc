// Compose's format 1: services at the top level, and a few keys by other names.
// https://docs.docker.com/compose/intro/history/
#include <algorithm>

#include "core/stack/assemble.h"
#include "core/stack/read.h"

namespace devstack::stack {
namespace {

using Kind = Node::Kind;

Node map_node() {
  Node node;
  node.kind = Kind::map;
  return node;
}

void put(Node& map, std::string key, Node value) { map.entries.push_back({std::move(key), {}, std::move(value)}); }

/// `net` may name another service's container.
void convert_network(Node& service, const Node& root) {
  auto net = service.take("net");
  if (!net) return;
  const std::string_view prefix = "container:";
  if (net->text.starts_with(prefix) && root.find(net->text.substr(prefix.size())) != nullptr) {
    net->text.replace(0, prefix.size(), "service:");
  }
  put(service, "network_mode", std::move(*net));
}

void convert_logging(Node& service) {
  auto driver = service.take("log_driver");
  auto options = service.take("log_opt");
  if (!driver && !options) return;
  Node logging = map_node();
  if (driver) put(logging, "driver", std::move(*driver));
  if (options) put(logging, "options", std::move(*options));
  put(service, "logging", std::move(logging));
}

void convert_build(Node& service) {
  Node* build = service.find("build");
  if (build == nullptr || build->kind != Kind::scalar || service.find("dockerfile") == nullptr) return;
  Node full = map_node();
  put(full, "context", std::move(*build));
  *build = std::move(full);
  auto dockerfile = service.take("dockerfile");
  build = service.find("build");
  put(*build, "dockerfile", std::move(*dockerfile));
}

/// Format 1 made named volumes as it met them.
void collect_volumes(const Node& service, Node& volumes) {
  const Node* mounts = service.find("volumes");
  if (mounts == nullptr) return;
  for (const auto& mount : mounts->items) {
    const auto colon = mount.text.find(':');
    if (colon == std::string::npos || std::string_view("./~").find(mount.text[0]) != std::string_view::npos) continue;
    const auto name = mount.text.substr(0, colon);
    if (volumes.find(name) == nullptr) put(volumes, name, map_node());
  }
}

}  // namespace

bool is_version_1(const Node& root) {
  if (root.find("services") != nullptr) return false;
  return std::any_of(root.entries.begin(), root.entries.end(), [](const Entry& entry) {
    return !entry.key.starts_with("x-") && !is_component_key(entry.key) && entry.value.kind == Kind::map &&
           (entry.value.find("image") != nullptr || entry.value.find("build") != nullptr);
  });
}

Node convert_version_1(const Node& root) {
  Node services = map_node();
  Node volumes = map_node();
  Node converted = map_node();
  for (const auto& entry : root.entries) {
    if (entry.key == "version") continue;
    if (entry.key.starts_with("x-") || is_component_key(entry.key) || entry.value.kind != Kind::map) {
      put(converted, entry.key, entry.value);
      continue;
    }
    Node service = entry.value;
    convert_network(service, root);
    convert_logging(service);
    convert_build(service);
    collect_volumes(service, volumes);
    put(services, entry.key, std::move(service));
  }
  put(converted, "services", std::move(services));
  if (!volumes.entries.empty()) put(converted, "volumes", std::move(volumes));
  return converted;
}

}  // namespace devstack::stack
