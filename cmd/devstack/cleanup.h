#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "cmd/devstack/paths.h"
#include "core/base/result.h"

namespace devstack {

/// `down` where no supervisor answers: removes what the last one left running of a project (it was killed): processes
/// by their records, containers and the network by label; and the proxy.
Result<void> clean_up_after_crash(const StatePaths& paths, const std::string& project,
                                  std::optional<std::chrono::seconds> grace);

}  // namespace devstack
