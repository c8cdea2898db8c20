#pragma once

#include <string>

#include "core/supervisor/status.h"

/// The status document as text for people. Pure.
namespace devstack {

/// The tables of `devstack status`: components, services, other services of the registry, and what is wrong.
std::string status_text(const supervisor::Status& status);
/// The table of `devstack ps`: services only.
std::string services_text(const supervisor::Status& status);
/// One line of `up`'s progress: "✓ dns        running  172.17.0.1:53, 127.0.0.1:53".
std::string unit_line(const supervisor::UnitStatus& unit, std::size_t name_width);

}  // namespace devstack
