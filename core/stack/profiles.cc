#include "core/stack/profiles.h"

#include <algorithm>

#include "core/stack/environment.h"

namespace devstack::stack {
namespace {

bool is_active(const ServiceSpec& service, const std::set<std::string>& active) {
  return service.profiles.empty() || active.contains("*") ||
         std::any_of(service.profiles.begin(), service.profiles.end(),
                     [&](const std::string& profile) { return active.contains(profile); });
}

SourcePos place_of_dependency(const ServiceSpec& service, const std::string& dependency, const Node& root) {
  const Node* services = root.find("services");
  const Node* node = services == nullptr ? nullptr : services->find(service.name);
  const Node* depends_on = node == nullptr ? nullptr : node->find("depends_on");
  if (depends_on == nullptr) return service.at;
  for (const auto& item : depends_on->items) {
    if (item.text == dependency) return item.at;
  }
  const Node* value = depends_on->find(dependency);
  return value == nullptr ? depends_on->at : value->at;
}

}  // namespace

std::set<std::string> active_profiles(const StackFile& file, const LoadOptions& options,
                                      const Environment& environment) {
  std::set<std::string> active(options.profiles.begin(), options.profiles.end());
  for (auto& profile : split_list(variable(environment, "COMPOSE_PROFILES"), ",")) active.insert(std::move(profile));
  for (const auto& target : options.targets) {
    const auto service = file.services.find(target);
    if (service != file.services.end()) active.insert(service->second.profiles.begin(), service->second.profiles.end());
  }
  return active;
}

void apply_profiles(StackFile& file, const std::set<std::string>& active, const Node& root, Diagnostics& report) {
  for (auto service = file.services.begin(); service != file.services.end();) {
    const auto next = std::next(service);
    if (!is_active(service->second, active)) file.inactive.insert(file.services.extract(service));
    service = next;
  }
  for (auto& [name, spec] : file.services) {
    ServiceSpec& service = spec;  // clang 14 captures no structured binding
    std::erase_if(service.depends_on, [&](const Dependency& dependency) {
      const auto other = file.inactive.find(dependency.service);
      if (other == file.inactive.end()) return false;
      if (dependency.required) {
        const auto& profiles = other->second.profiles;
        report.error(place_of_dependency(service, dependency.service, root),
                     "services.{}.depends_on: \"{}\" is not active: use --profile {}", service.name, dependency.service,
                     fmt::join(profiles, " or --profile "));
      }
      return true;
    });
  }
}

}  // namespace devstack::stack
