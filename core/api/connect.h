#pragma once

#include <string_view>
#include <vector>

#include "core/registry/prepared_query.h"

/// Who speaks for a service in the mesh. Private to the room.
namespace devstack::api {

using registry::connect_instances;

/// What a read of them reports: the newest index, by `table` (service or service_instances), of the service, of every
/// name that one of its `instances` has, and of the services as a whole. Any service may become its proxy or cease to
/// be it, so who waits watches them all, and is answered when this rises: too often, but never backwards and never too
/// late.
registry::Index connect_index(const registry::State& state, registry::Watch::Table table, std::string_view service,
                              const std::vector<registry::Instance>& instances);

}  // namespace devstack::api
