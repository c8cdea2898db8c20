#include "core/health/reaper.h"

#include <algorithm>

namespace devstack::health {
namespace {

bool counts(const registry::Check& check) {
  const auto& definition = check.definition;
  if (!check.agent_owned || check.service_id.empty() || definition.deregister_critical_after.count() <= 0) return false;
  if (check.status != registry::status::critical) return false;
  return definition.kind != registry::CheckDefinition::Kind::ttl || !check.output.empty();
}

}  // namespace

void Reaper::observe(const registry::Check& check, Instant now) {
  if (!counts(check)) return forget(check.id);
  auto& entry = critical_[check.id];
  // A check that moved to another service failed there not yet. (None is empty: that is one that is new here.)
  if (entry.service_id != check.service_id) entry.since = now;
  entry.service_id = check.service_id;
  entry.limit = std::max<std::chrono::nanoseconds>(check.definition.deregister_critical_after, shortest_reap_time);
}

std::vector<std::string> Reaper::due(Instant now) const {
  std::vector<std::string> services;
  for (const auto& [id, entry] : critical_) {
    if (now - entry.since > entry.limit) services.push_back(entry.service_id);
  }
  std::sort(services.begin(), services.end());
  services.erase(std::unique(services.begin(), services.end()), services.end());
  return services;
}

}  // namespace devstack::health
