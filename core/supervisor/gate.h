#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/registry/state.h"
#include "core/stack/stack_file.h"
#include "core/supervisor/status.h"

/// Whether a unit may start: Compose's `depends_on`, given what its dependencies are, and `wait_for`, given what the
/// registry has. Pure.
namespace devstack::supervisor {

/// What a gate looks at in one instance of a dependency.
struct DependencyView {
  UnitState state = UnitState::pending;
  bool up = false;            ///< launched and not ended
  bool ever_started = false;  ///< was up since it was last asked to start
  bool has_health = false;    ///< has a health check
};

struct Gate {
  enum class State { open, waiting, failed };
  State state = State::open;
  std::string detail;  ///< "for db to be healthy"; why it can never open
};

/// All instances of a service must meet the condition. A dependency with `required: false` that is missing or failed is
/// passed over. Unhealthy or restarting dependencies are waited for: they may recover.
Gate gate(const std::vector<stack::Dependency>& dependencies,
          const std::function<std::vector<DependencyView>(const std::string& service)>& instances);

/// Open when every service has an instance with no check that is not passing (its own and its node's), and every key is
/// there. It never fails: what is not in the registry may come.
Gate gate(const stack::WaitFor& wanted, const registry::State& state);
/// What may open it.
std::vector<registry::Watch> watches(const stack::WaitFor& wanted);

}  // namespace devstack::supervisor
