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

void Reaper::observe(const std::vector<registry::CheckPtr>& checks, Instant now) {
  std::map<std::string, Critical> seen;
  for (const auto& check : checks) {
    if (!counts(*check)) continue;
    Critical entry;
    entry.service_id = check->service_id;
    entry.limit = std::max<std::chrono::nanoseconds>(check->definition.deregister_critical_after, shortest_reap_time);
    const auto known = critical_.find(check->id);
    // A check that moved to another service failed there not yet.
    const bool goes_on = known != critical_.end() && known->second.service_id == entry.service_id;
    entry.since = goes_on ? known->second.since : now;
    seen.emplace(check->id, std::move(entry));
  }
  critical_ = std::move(seen);
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
