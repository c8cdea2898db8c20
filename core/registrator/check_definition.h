#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/registry/types.h"

namespace devstack::registrator {

/// A check as SERVICE_CHECK_* asks for it, for whoever runs checks.
struct WantedCheck {
  registry::CheckDefinition definition;
  std::string initial_status;  ///< as given; "" when not said
};

/// Reads the check that a port's metadata (`check_http`, `check_interval`, …) defines: the first of http, https, cmd,
/// script, ttl, tcp, grpc; nothing when there is none. `service` gives address (an empty one becomes `node_address`)
/// and port. IPv6 addresses are bracketed. Errc::invalid_argument names the key whose value is no duration or too
/// small. Pure; any thread. https://gliderlabs.github.io/registrator/latest/user/backends/#consul
///
/// Not as Registrator: CHECK_CMD runs in the container (it would need a helper program on the agent), CHECK_SCRIPT in a
/// shell (it would be one word), and CHECK_TLS_SKIP_VERIFY holds for CHECK_HTTPS too.
Result<std::optional<WantedCheck>> check_definition(const std::map<std::string, std::string>& metadata,
                                                    const registry::Service& service, const std::string& node_address,
                                                    const std::string& container_id);

/// Whether `metadata` asks for a check at all, well or not.
bool defines_check(const std::map<std::string, std::string>& metadata);

}  // namespace devstack::registrator
