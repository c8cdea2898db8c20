#pragma once

#include <string>

#include "cmd/devstack/paths.h"
#include "core/base/result.h"
#include "core/supervisor/supervisor.h"

namespace devstack {

/// `down` of a project where no supervisor answers: removes what the last one left running (it was killed): processes
/// by their records, containers and the network by label; and the proxy.
Result<void> clean_up_after_crash(const StatePaths& paths, std::string project, supervisor::DownOptions options);

}  // namespace devstack
