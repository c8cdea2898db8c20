#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "core/base/result.h"

/// Durations as Go, Consul and Compose write them: "1m30s", "250ms", "1.5h", "-2s". Pure; any thread.
/// https://pkg.go.dev/time#ParseDuration
namespace devstack {

/// Go's grammar: a unit is mandatory ("10" is an error, "0" is not). Units: ns us µs ms s m h. The error texts are Go's
/// (`time: invalid duration "x"`), because Consul's clients match them.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// Go's Duration.String(): "0s", "1.5s", "1m30s", "250ms".
std::string format_duration(std::chrono::nanoseconds value);

}  // namespace devstack
