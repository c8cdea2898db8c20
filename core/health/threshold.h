#pragma once

#include <chrono>
#include <string_view>

#include "core/base/async/clock.h"

/// When probe results make something healthy or unhealthy, as the Docker Engine decides it (moby daemon/health.go).
/// Pure; any thread.
namespace devstack::health {

enum class Outcome { passed, failed };
enum class Health { starting, healthy, unhealthy };
std::string_view to_string(Health health);

struct ThresholdSettings {
  int retries = 3;                           ///< failures in a row that make it unhealthy; below 1 counts as 1
  std::chrono::nanoseconds start_period{0};  ///< failures before the first success do not count this long
};

class Threshold {
 public:
  Threshold(ThresholdSettings settings, Instant started) : settings_(settings), started_(started) {}

  /// Takes one probe's outcome. One success makes healthy and clears the streak; `retries` failures in a row make
  /// unhealthy.
  Health record(Outcome outcome, Instant at);
  [[nodiscard]] Health health() const { return health_; }
  [[nodiscard]] int failing_streak() const { return failing_streak_; }

 private:
  ThresholdSettings settings_;
  Instant started_;
  Health health_ = Health::starting;
  int failing_streak_ = 0;
};

}  // namespace devstack::health
