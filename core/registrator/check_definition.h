#pragma once

#include <optional>
#include <string>

#include "core/registry/types.h"

namespace devstack::registrator {

/// A check as SERVICE_CHECK_* asks for it, for whoever runs checks.
struct WantedCheck {
  registry::CheckDefinition definition;
  std::string initial_status;  ///< "" when not said
};

/// Reads the check that a service's metadata (`check_http`, `check_interval`, …) defines: the first of http, https,
/// cmd, script, ttl, tcp, grpc; nothing when there is none or its durations are malformed. `service` gives address (an
/// empty one becomes `node_address`) and port. IPv6 addresses are bracketed. Pure; any thread.
/// https://gliderlabs.github.io/registrator/latest/user/backends/#consul
std::optional<WantedCheck> check_definition(const registry::Service& service, const std::string& node_address,
                                            const std::string& container_id);

}  // namespace devstack::registrator
