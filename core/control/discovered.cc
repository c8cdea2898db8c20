#include "core/control/discovered.h"

#include <array>

namespace devstack::control {
namespace {

int severity(std::string_view status) {
  constexpr std::array<std::string_view, 4> kOrder{"passing", "warning", "critical", "maintenance"};
  for (std::size_t i = 0; i < kOrder.size(); ++i) {
    if (kOrder[i] == status) return static_cast<int>(i);
  }
  return 0;
}

/// The container's name in a registrator's service id, "HOST:CONTAINER:PORT[:udp]"; "" for ids of another form.
std::string_view container_of(std::string_view service_id) {
  const auto first = service_id.find(':');
  if (first == std::string_view::npos) return {};
  const auto second = service_id.find(':', first + 1);
  if (second == std::string_view::npos) return {};
  return service_id.substr(first + 1, second - first - 1);
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Containers of the stack are named after project and unit, with Compose's "-1" for the first instance or without.
bool is_container_of(std::string_view container, const supervisor::UnitStatus& unit) {
  const auto& project = unit.project;
  if (!project.empty() && container.starts_with(project + "-")) container.remove_prefix(project.size() + 1);
  if (container == unit.name || container == unit.service) return true;
  return !unit.service.empty() && container.starts_with(unit.service + "-") &&
         is_number(container.substr(unit.service.size() + 1));
}

bool ours(const registry::Service& service, const supervisor::Status& status) {
  if (service.name == "consul" || service.source.starts_with("supervisor/")) return true;
  const auto container = container_of(service.id);
  for (const auto& unit : status.services) {
    if (service.id == unit.name || service.id == unit.service) return true;
    if (!container.empty() && is_container_of(container, unit)) return true;
  }
  return false;
}

void add(supervisor::DiscoveredService& found, const registry::Instance& instance) {
  const auto status = instance.aggregated_status();
  ++found.instances;
  if (status == registry::status::passing) ++found.passing;
  if (found.status.empty() || severity(status) > severity(found.status)) found.status = status;
  for (const auto& tag : instance.service->tags) {
    if (std::find(found.tags.begin(), found.tags.end(), tag) == found.tags.end()) found.tags.push_back(tag);
  }
  const auto& address = instance.address();
  if (address.empty()) return;
  const auto host = address.find(':') == std::string::npos ? address : "[" + address + "]";
  found.addresses.push_back(instance.service->port == 0 ? address : fmt::format("{}:{}", host, instance.service->port));
}

}  // namespace

std::vector<supervisor::DiscoveredService> discovered_services(const registry::State& state,
                                                               const supervisor::Status& status) {
  std::vector<supervisor::DiscoveredService> out;
  for (const auto& [name, tags] : state.services()) {
    supervisor::DiscoveredService found{.name = name, .status = {}, .tags = {}, .addresses = {}, .links = {}};
    for (const auto& instance : state.instances(name)) {
      if (!ours(*instance.service, status)) add(found, instance);
    }
    if (found.instances > 0) out.push_back(std::move(found));
  }
  return out;
}

}  // namespace devstack::control
