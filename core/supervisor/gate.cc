#include "core/supervisor/gate.h"

#include <fmt/format.h>

#include <algorithm>

namespace devstack::supervisor {
namespace {

using stack::DependencyCondition;

Gate waiting(std::string detail) { return {Gate::State::waiting, std::move(detail)}; }
Gate failed(std::string detail) { return {Gate::State::failed, std::move(detail)}; }

Gate started(const std::string& service, const DependencyView& unit) {
  if (unit.up || unit.ever_started || unit.state == UnitState::completed) return {};
  if (unit.state == UnitState::failed) return failed(fmt::format("{} could not be started", service));
  return waiting(fmt::format("for {} to start", service));
}

Gate healthy(const std::string& service, const DependencyView& unit) {
  switch (unit.state) {
    case UnitState::running:
      if (unit.has_health) return {};
      return failed(
          fmt::format("{0} has no health check, so it never becomes healthy: give it a healthcheck, or depend on "
                      "service_started",
                      service));
    case UnitState::failed:
      return failed(fmt::format("{} failed", service));
    case UnitState::completed:
      return failed(fmt::format("{} ended before it was healthy", service));
    case UnitState::unhealthy:
      return failed(fmt::format("{} is unhealthy", service));
    default:
      return waiting(fmt::format("for {} to be healthy", service));
  }
}

Gate completed(const std::string& service, const DependencyView& unit) {
  if (unit.state == UnitState::completed) return {};
  if (unit.state == UnitState::failed) return failed(fmt::format("{} did not complete successfully", service));
  return waiting(fmt::format("for {} to complete", service));
}

Gate look(const stack::Dependency& dependency, const DependencyView& unit) {
  switch (dependency.condition) {
    case DependencyCondition::started:
      return started(dependency.service, unit);
    case DependencyCondition::healthy:
      return healthy(dependency.service, unit);
    case DependencyCondition::completed_successfully:
      return completed(dependency.service, unit);
  }
  return {};
}

bool passes(const registry::Instance& instance) { return instance.aggregated_status() == registry::status::passing; }

}  // namespace

Gate gate(const std::vector<stack::Dependency>& dependencies,
          const std::function<std::vector<DependencyView>(const std::string& service)>& instances) {
  Gate worst;
  for (const auto& dependency : dependencies) {
    for (const auto& unit : instances(dependency.service)) {
      Gate one = look(dependency, unit);
      if (one.state == Gate::State::failed && dependency.required) return one;
      if (one.state == Gate::State::waiting && worst.state == Gate::State::open) worst = std::move(one);
    }
  }
  return worst;
}

Gate gate(const stack::WaitFor& wanted, const registry::State& state) {
  for (const auto& service : wanted.services) {
    const auto instances = state.instances(service);
    if (std::any_of(instances.begin(), instances.end(), passes)) continue;
    return waiting(fmt::format("waits for registry service {} to {}", service, instances.empty() ? "appear" : "pass"));
  }
  for (const auto& key : wanted.keys) {
    if (!state.kv(key)) return waiting(fmt::format("waits for registry key {}", key));
  }
  return {};
}

std::vector<registry::Watch> watches(const stack::WaitFor& wanted) {
  std::vector<registry::Watch> out;
  for (const auto& service : wanted.services) out.push_back({registry::Watch::Table::service, service});
  for (const auto& key : wanted.keys) out.push_back({registry::Watch::Table::kv_key, key});
  return out;
}

}  // namespace devstack::supervisor
