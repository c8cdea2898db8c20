#pragma once

#include <string>
#include <vector>

#include "core/stack/stack_file.h"

/// What `up` wants to be true, in the order it starts: one unit an instance of a service. Made from a StackFile, handed
/// to the supervisor, compared with the plan that runs. A value; pure; any thread.
namespace devstack::stack {

enum class UnitKind { container, process };

struct PlannedUnit {
  std::string name;     ///< "hello", or "hello-2" for further instances
  std::string service;  ///< "hello"
  int number = 1;
  UnitKind kind = UnitKind::container;
  ServiceSpec spec;
  std::string config_hash;  ///< of everything whose change needs a new container or process; versioned "1:…"
};

struct Plan {
  std::string project;
  std::string project_dir;           ///< absolute
  Texts files;                       ///< StackFile::config_files
  Texts env_files;                   ///< absolute
  std::vector<NetworkDef> networks;  ///< those that a container is on
  std::vector<VolumeDef> volumes;    ///< those that a container mounts
  std::map<std::string, FileDef> configs, secrets;
  std::vector<PlannedUnit> units;  ///< dependencies before dependents
};

enum class EngineAvailable { no, yes };

/// Orders the services and decides container or process for each: a service with an image becomes a container when an
/// engine is there, else its `x-process` stand-in; Errc::docker_unreachable names the first that has none.
/// Errc::stack_file on a dependency cycle (named) or an undefined dependency.
Result<Plan> make_plan(const StackFile& file, EngineAvailable engine);

/// What must be done to get from `running` to `wanted`.
struct PlanDiff {
  std::vector<PlannedUnit> create;    ///< in start order
  std::vector<PlannedUnit> recreate;  ///< config_hash differs; in start order
  std::vector<std::string> remove;    ///< unit names, in stop order
  [[nodiscard]] bool empty() const { return create.empty() && recreate.empty() && remove.empty(); }
};
PlanDiff diff(const Plan& running, const Plan& wanted);

}  // namespace devstack::stack
