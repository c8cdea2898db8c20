#pragma once

#include "core/supervisor/container_spec.h"

/// The container of a pre_start step. https://docs.docker.com/reference/compose-file/services/#pre_start Private to the
/// room; pure.
namespace devstack::supervisor {

/// The service as its step `at` runs it: with the step's command, image, user, folder and variables.
stack::PlannedUnit step_unit(stack::PlannedUnit unit, std::size_t at);

/// `made` is container_spec() of step_unit(); `container` is the id of the service's container, whose mounts it shares.
/// It is on the service's networks under no name of the service, publishes nothing and is not registered.
docker::ContainerSpec step_spec(docker::ContainerSpec made, std::size_t at, const std::string& container);

}  // namespace devstack::supervisor
