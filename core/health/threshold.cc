#include "core/health/threshold.h"

#include <algorithm>

namespace devstack::health {

std::string_view to_string(Health health) {
  switch (health) {
    case Health::starting:
      return "starting";
    case Health::healthy:
      return "healthy";
    case Health::unhealthy:
      return "unhealthy";
  }
  return "";
}

Health Threshold::record(Outcome outcome, Instant at) {
  if (outcome == Outcome::passed) {
    failing_streak_ = 0;
    health_ = Health::healthy;
    return health_;
  }
  const bool excused = health_ == Health::starting && at - started_ < settings_.start_period;
  if (excused) return health_;
  ++failing_streak_;
  if (failing_streak_ >= std::max(settings_.retries, 1)) health_ = Health::unhealthy;
  return health_;
}

}  // namespace devstack::health
