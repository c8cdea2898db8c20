#pragma once

#include <string>
#include <vector>

#include "cmd/devstack/paths.h"
#include "core/stack/stack_file.h"

/// How each project that is up was loaded, in state_dir/projects/NAME/load.json: what the next supervisor takes back
/// after this one was killed, and whom `down` cleans up after then. Only we may read it: it holds the caller's
/// environment.
namespace devstack {

struct LoadRecord {
  std::string project;
  stack::LoadOptions load;
};

Result<void> save_load(const StatePaths& paths, const std::string& project, const stack::LoadOptions& load);
/// By project name. One that cannot be read keeps its name and an empty load.
std::vector<LoadRecord> saved_loads(const StatePaths& paths);
/// The project was taken down.
void forget_load(const StatePaths& paths, const std::string& project);

}  // namespace devstack
