#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "core/base/async/clock.h"
#include "core/registry/types.h"

/// deregister_critical_service_after: which services go because a check of theirs has been critical for that long.
/// Pure: what the registry holds and the time come in.
/// https://developer.hashicorp.com/consul/api-docs/agent/check#deregistercriticalserviceafter
namespace devstack::health {

/// Shorter times count as this much, and somebody looks every `reap_interval`, as in Consul: a service goes up to that
/// much later than its check says.
constexpr auto shortest_reap_time = std::chrono::minutes(1);
constexpr auto reap_interval = std::chrono::seconds(30);

class Reaper {
 public:
  /// A check of the own node as it is now; one that it did not see critical before is critical from `now` on. Only
  /// checks of services with a time count. A TTL check counts once somebody or its expiry has said something about it:
  /// one that waits for its first heartbeat is not failing yet.
  void observe(const registry::Check& check, Instant now);
  /// The check is there no more.
  void forget(const std::string& check_id) { critical_.erase(check_id); }
  /// The ids of services to remove: a check has been critical for longer than its time.
  [[nodiscard]] std::vector<std::string> due(Instant now) const;

 private:
  struct Critical {
    std::string service_id;
    Instant since;
    std::chrono::nanoseconds limit{0};
  };
  std::map<std::string, Critical> critical_;  ///< by check id
};

}  // namespace devstack::health
