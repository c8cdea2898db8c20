#pragma once

#include <string>

#include "cmd/devstack/paths.h"
#include "core/base/result.h"
#include "core/supervisor/supervisor.h"

namespace devstack {

/// The project that the supervisor of this state directory ran and has not taken down; "" for none.
std::string project_left_here(const StatePaths& paths);

/// `down` of a project where no supervisor answers: removes what the last one left running (it was killed): processes
/// by their records, containers and the network by label, the proxy.
Result<void> clean_up_after_crash(const StatePaths& paths, std::string project, supervisor::DownOptions options);

}  // namespace devstack
