#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "cmd/devstack/paths.h"
#include "core/base/result.h"

namespace devstack {

/// `down` where no supervisor answers: removes what the last one left running (it was killed): processes by their
/// records, containers and the network by label, the proxy. Returns the project's name, "" when there was nothing.
Result<std::string> clean_up_after_crash(const StatePaths& paths, std::optional<std::chrono::seconds> grace);

}  // namespace devstack
