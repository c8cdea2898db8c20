#pragma once

#include <vector>

#include "core/registry/state.h"
#include "core/supervisor/status.h"

namespace devstack::control {

/// The services of the registry that are not the stack's own, by name: what `docker run` or a registration by hand
/// brought. Left out are "consul" itself, instances that devstack's supervisor registered, and instances of the
/// registrator whose container is one of `status.services`. Links stay empty. Pure; any thread.
std::vector<supervisor::DiscoveredService> discovered_services(const registry::State& state,
                                                               const supervisor::Status& status);

}  // namespace devstack::control
