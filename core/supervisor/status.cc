#include "core/supervisor/status.h"

#include <algorithm>

namespace devstack::supervisor {

std::string_view to_string(UnitState state) {
  switch (state) {
    case UnitState::pending:
      return "pending";
    case UnitState::waiting:
      return "waiting";
    case UnitState::starting:
      return "starting";
    case UnitState::running:
      return "running";
    case UnitState::unhealthy:
      return "unhealthy";
    case UnitState::paused:
      return "paused";
    case UnitState::backoff:
      return "backoff";
    case UnitState::completed:
      return "completed";
    case UnitState::failed:
      return "failed";
    case UnitState::stopping:
      return "stopping";
    case UnitState::stopped:
      return "stopped";
  }
  return "";
}

bool settled_well(UnitState state) { return state == UnitState::running || state == UnitState::completed; }

bool settled(UnitState state) {
  return settled_well(state) || state == UnitState::paused || state == UnitState::failed || state == UnitState::stopped;
}

std::string_view to_string(UnitType type) {
  switch (type) {
    case UnitType::component:
      return "component";
    case UnitType::container:
      return "container";
    case UnitType::process:
      return "process";
  }
  return "";
}

Status of_project(Status status, const std::string& project) {
  if (project.empty()) return status;
  std::erase_if(status.projects, [&](const ProjectStatus& other) { return other.name != project; });
  std::erase_if(status.services, [&](const UnitStatus& unit) { return unit.project != project; });
  for (auto& unit : status.services) {
    if (unit.name.starts_with(project + "/")) unit.name.erase(0, project.size() + 1);
  }
  const auto* kept = status.projects.empty() ? nullptr : &status.projects.front();
  status.project = project;
  status.stack_file = kept != nullptr && !kept->files.empty() ? kept->files.front() : std::string();
  status.healthy =
      kept != nullptr && kept->healthy && !status.stopping &&
      std::all_of(status.components.begin(), status.components.end(), [](auto& c) { return settled_well(c.state); });
  return status;
}

}  // namespace devstack::supervisor
