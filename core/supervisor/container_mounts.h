#pragma once

#include "core/supervisor/container_spec.h"

namespace devstack::supervisor {

/// Volumes, binds, tmpfs, files and what other containers mount. Private to the room; pure.
void add_mounts(const stack::ServiceSpec& service, const ContainerContext& context, const ContainerDetails& details,
                docker::ContainerSpec& spec);

}  // namespace devstack::supervisor
