#pragma once

#include <string>
#include <vector>

#include "core/docker/types.h"
#include "core/stack/plan.h"

/// What a planned container becomes in the Engine API: name, labels, network, ports. Pure.
namespace devstack::supervisor {

namespace label {
inline constexpr const char* project = "io.devstack.project";
inline constexpr const char* unit = "io.devstack.unit";
inline constexpr const char* service = "io.devstack.service";
inline constexpr const char* config_hash = "io.devstack.config-hash";
}  // namespace label

struct ContainerContext {
  std::string project;
  std::string network;  ///< the project's
  std::string stack_file;
  std::vector<std::string> dns;  ///< for containers that name none
};

/// `<project>-<service>-<number>`, or the service's container_name.
std::string container_name(const stack::PlannedUnit& unit, const std::string& project);
/// Whether the unit is on the project's own network, which must then be made first.
bool on_project_network(const stack::PlannedUnit& unit);
/// Without an engine restart policy: the supervisor restarts, so that `down` and its own death mean what they say.
/// Compose's labels are set too, so that `docker compose ps` and `logs` see the container.
docker::ContainerSpec container_spec(const stack::PlannedUnit& unit, const ContainerContext& context);
/// Labels of the project's network, ours and Compose's.
docker::StringMap network_labels(const ContainerContext& context);

/// "172.18.0.2:80/tcp" for each exposed port on the container's address, and "127.0.0.1:8080" for each published one.
std::vector<std::string> container_addresses(const docker::Container& container);
/// RFC 3339 as the engine writes it -> Unix seconds; 0 when it cannot be read or is the zero time.
std::int64_t unix_time(const std::string& rfc3339);

}  // namespace devstack::supervisor
