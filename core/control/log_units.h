#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/supervisor/status.h"

namespace devstack::control {

/// Whose lines a request for logs means.
struct LogUnits {
  std::vector<std::string> units;       ///< that have, or may get, a kept log
  std::vector<std::string> components;  ///< whose lines stand in devstack's own log; "" = all of that
};

/// `names`: units, services, components, or "devstack" for the supervisor itself; none: all units of the stack, and
/// kept instances of its services that are gone (a stack without services: all that is kept). `kept`: the units that
/// have a log. Errc::not_found with the names there are. Pure.
Result<LogUnits> log_units(const supervisor::Status& status, const std::vector<std::string>& kept,
                           const std::vector<std::string>& names);

}  // namespace devstack::control
