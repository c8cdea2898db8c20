#include "core/supervisor/status.h"

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
  return settled_well(state) || state == UnitState::failed || state == UnitState::stopped;
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

}  // namespace devstack::supervisor
