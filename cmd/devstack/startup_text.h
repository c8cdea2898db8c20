#pragma once

#include <string>

#include "core/supervisor/startup.h"

namespace devstack {

/// What `up --explain` ends with: the critical path of the start, a step a line, and a line for each unit. Pure.
std::string startup_text(const supervisor::Startup& startup);

}  // namespace devstack
