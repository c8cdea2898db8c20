#include "core/health/alias.h"

#include <fmt/format.h>

namespace devstack::health {
namespace {

using registry::Check;
using registry::State;

/// Aliases of each other would tell each other ever longer stories.
constexpr std::size_t longest_output = 4096;

bool service_exists(const State& state, const std::string& node, const std::string& id, bool agents_only) {
  const auto service = state.service(node, id);
  return service != nullptr && (service->agent_owned || !agents_only);
}

std::string failing(const Check& check) {
  auto text = fmt::format("Aliased check \"{}\" failing: {}", check.name, check.output);
  if (text.size() > longest_output) text.resize(longest_output);
  return text;
}

}  // namespace

AliasHealth alias_health(const State& state, const Check& check) {
  const auto& target = check.definition.alias_service;
  const bool local = check.definition.alias_node.empty();
  const auto& node = local ? check.node : check.definition.alias_node;
  AliasHealth health{std::string(registry::status::passing), "No checks found."};
  bool target_has_checks = false;
  auto checks = state.checks_of_instance(node, "");
  if (!target.empty()) {
    auto of_target = state.checks_of_instance(node, target);
    checks.insert(checks.end(), of_target.begin(), of_target.end());
  }
  for (const auto& other : checks) {
    if (local && !other->agent_owned) continue;
    if (other->id == check.id && other->node == check.node) continue;
    const bool of_target = other->service_id == target;
    if (!of_target && !other->service_id.empty()) continue;
    target_has_checks = target_has_checks || of_target;
    if (other->status == registry::status::critical || other->status == registry::status::warning) {
      health = {other->status, failing(*other)};
      if (other->status == registry::status::critical) break;
    } else if (health.status == registry::status::passing) {
      health.output = "All checks passing.";
    }
  }
  if (!target_has_checks && !service_exists(state, node, target, local)) {
    health.status = registry::status::critical;
    health.output = fmt::format("Service {} could not be found on node {}", target, check.definition.alias_node);
  }
  return health;
}

}  // namespace devstack::health
