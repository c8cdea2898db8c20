// Devices, and `deploy` as far as one machine has a use for it. https://docs.docker.com/reference/compose-file/deploy/
#include <algorithm>

#include "core/stack/fields.h"
#include "core/stack/schema.h"

namespace devstack::stack {
namespace {

using R = const Reading&;
using V = const Node&;

constexpr Field<Device> kDevice[] = {
    {"source", Into<&Device::source>::text, "text"},
    {"target", Into<&Device::target>::text, "text"},
    {"permissions", Into<&Device::permissions>::text, "text"},
};

Device short_device(std::string_view text) {
  Device device;
  const auto first = text.find(':');
  device.source = text.substr(0, first);
  if (first == std::string_view::npos) return device;
  const auto rest = text.substr(first + 1);
  const auto second = rest.find(':');
  device.target = rest.substr(0, second);
  if (second != std::string_view::npos) device.permissions = rest.substr(second + 1);
  return device;
}

bool are_permissions(std::string_view text) {
  return !text.empty() && text.find_first_not_of("rwm") == std::string_view::npos;
}

/// What `deploy` says, before it is compared with the service's own keys.
struct Deploy {
  std::optional<long> replicas;
  Resources limits, reservations;
  bool restart_given = false;
  std::string condition = "any";
  long max_attempts = 0;
  std::chrono::nanoseconds delay{0}, window{0};
};

constexpr std::array<std::string_view, 6> kConditions{"none", "on-failure", "any", "no", "always", "unless-stopped"};

constexpr Unsupported kNoDevices[] = {
    {"devices", "GPUs are not; name a device of the host under the service's `devices`"},
    {"generic_resources", "it is for Swarm; remove it"}};

constexpr Field<Resources> kLimits[] = {
    {"cpus", [](Resources& r, V v, R in) { r.nano_cpus = read_nano_cpus(v, in).value_or(0); }, "cpus"},
    {"memory", Into<&Resources::memory>::size, "size"},
    {"pids", Into<&Resources::pids>::number<-1, 1'000'000'000>, "integer"},
};

constexpr Field<Deploy> kResources[] = {
    {"limits", [](Deploy& d, V v, R in) { read_fields<Resources>(v, d.limits, kLimits, kNoDevices, in); },
     "deploy_limits"},
    {"reservations", [](Deploy& d, V v, R in) { read_fields<Resources>(v, d.reservations, kLimits, kNoDevices, in); },
     "deploy_limits"},
};

constexpr Field<Deploy> kRestartPolicy[] = {
    {"condition", [](Deploy& d, V v, R in) { d.condition = read_choice(v, kConditions, in).value_or("any"); },
     "restart_condition"},
    {"delay", Into<&Deploy::delay>::span, "duration"},
    {"max_attempts", Into<&Deploy::max_attempts>::number<0, 1'000'000>, "integer"},
    {"window", Into<&Deploy::window>::span, "duration"},
};

constexpr Field<Deploy> kDeploy[] = {
    {"replicas", [](Deploy& d, V v, R in) { d.replicas = read_number(v, 0, 1000, in); }, "integer"},
    {"resources", [](Deploy& d, V v, R in) { read_fields<Deploy>(v, d, kResources, {}, in); }, "deploy_resources"},
    {"restart_policy",
     [](Deploy& d, V v, R in) {
       d.restart_given = true;
       read_fields<Deploy>(v, d, kRestartPolicy, {}, in);
     },
     "deploy_restart"},
    {"placement", ignored_with_warning<Deploy>},
    {"update_config", ignored_with_warning<Deploy>},
    {"rollback_config", ignored_with_warning<Deploy>},
    {"mode", ignored_with_warning<Deploy>},
    {"labels", ignored_with_warning<Deploy>},
    {"endpoint_mode", ignored_with_warning<Deploy>},
};

/// The value of both places; different ones are an error.
template <class T>
void agree(T& own, T other, std::string_view own_key, std::string_view other_key, V node, R in) {
  if (other == T{}) return;
  if (own != T{} && own != other) {
    in.report.error(node.at, "{}`{}` and `{}` say different things: remove one of the two", node.prefix(), other_key,
                    own_key);
  }
  own = other;
}

void apply_restart(ServiceSpec& service, const Deploy& deploy) {
  using Kind = RestartPolicy::Kind;
  const auto& condition = deploy.condition;
  service.restart.kind = condition == "none" || condition == "no" ? Kind::no
                         : condition == "on-failure"              ? Kind::on_failure
                         : condition == "unless-stopped"          ? Kind::unless_stopped
                                                                  : Kind::always;
  service.restart.max_retries = condition == "on-failure" ? static_cast<int>(deploy.max_attempts) : 0;
  // An engine has a delay of its own; ours, for processes, can be set.
  if (!service.containerised() && service.restart.delay.count() == 0) service.restart.delay = deploy.delay;
}

}  // namespace

std::vector<Device> read_devices(const Node& node, const Reading& in) {
  std::vector<Device> devices;
  for (const auto& item : read_items(node, in)) {
    Device device;
    if (item.kind == Node::Kind::map) {
      read_fields<Device>(item, device, kDevice, {}, in);
    } else if (const auto text = read_text(item, in)) {
      device = short_device(*text);
    } else {
      continue;
    }
    if (device.target.empty()) device.target = device.source;
    if (device.source.find('=') != std::string::npos && !device.source.starts_with('/')) {
      in.report.error(item.at, "{}CDI devices are not supported yet: name a path like /dev/dri", item.prefix());
    } else if (!device.source.starts_with('/')) {
      in.report.error(item.at, "{}expected an absolute path like /dev/ttyUSB0, found \"{}\"", item.prefix(),
                      device.source);
    } else if (!are_permissions(device.permissions)) {
      in.report.error(item.at, "{}expected permissions of r, w and m, found \"{}\"", item.prefix(), device.permissions);
    } else {
      devices.push_back(std::move(device));
    }
  }
  return devices;
}

void read_deploy(ServiceSpec& service, const Node& service_node, const Reading& in) {
  const Node* node = service_node.find("deploy");
  if (node == nullptr) return;
  Deploy deploy;
  read_fields<Deploy>(*node, deploy, kDeploy, {}, in);
  auto& own = service.resources;
  agree(own.nano_cpus, deploy.limits.nano_cpus, "cpus", "resources.limits.cpus", *node, in);
  agree(own.memory, deploy.limits.memory, "mem_limit", "resources.limits.memory", *node, in);
  agree(own.pids, deploy.limits.pids, "pids_limit", "resources.limits.pids", *node, in);
  agree(own.memory_reservation, deploy.reservations.memory, "mem_reservation", "resources.reservations.memory", *node,
        in);
  if (deploy.restart_given) apply_restart(service, deploy);
  if (!deploy.replicas) return;
  const auto replicas = static_cast<int>(*deploy.replicas);
  const Node* scale = service_node.find("scale");
  if (scale != nullptr && service.scale != replicas) {
    in.report.error(node->find("replicas")->at, "{}replicas is {} and `scale` is {}: remove one of the two",
                    node->prefix(), replicas, service.scale);
  }
  service.scale = replicas;
}

void add_resource_shapes(Shapes& into) {
  into.map("device", kDevice);
  into.map("deploy", kDeploy);
  into.map("deploy_limits", kLimits);
  into.map("deploy_resources", kResources);
  into.map("deploy_restart", kRestartPolicy);
}

}  // namespace devstack::stack
