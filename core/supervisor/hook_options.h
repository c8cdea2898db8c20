#pragma once

#include "core/docker/client.h"
#include "core/stack/service_spec.h"

namespace devstack::supervisor {

/// What the engine is to run in a container for a hook of its service. Pure.
docker::ExecOptions exec_options(const stack::Hook& hook);

}  // namespace devstack::supervisor
