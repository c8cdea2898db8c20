#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/api/decode.h"
#include "core/registry/types.h"

/// Services and checks as request bodies define them. Pure. Private to the room.
namespace devstack::api {

/// What PUT agent/service/register says.
struct ServiceDefinition {
  registry::Service service;
  std::vector<registry::Check> checks;
  /// Connect.SidecarService was given: a definition of its own.
  std::optional<boost::json::value> sidecar;
};

/// Errors carry the 400's text in full.
Result<ServiceDefinition> read_service_definition(const boost::json::value& body);
/// PUT agent/check/register. Errors as above.
Result<registry::Check> read_check_definition(const boost::json::value& body);
/// Service of catalog/register and txn: the names of Consul's NodeService.
Result<registry::Service> read_node_service(const boost::json::value& body);
/// Check of catalog/register, and of txn, which knows less of a check.
enum class CheckForm { catalog, transaction };
Result<registry::Check> read_health_check(const boost::json::value& body, CheckForm form);

/// The texts that follow "Invalid check: ".
Result<void> validate_check(const registry::CheckDefinition& definition);
/// The texts that follow "Invalid Weights: ".
Result<void> validate_weights(const registry::Weights& weights);
/// The texts that follow "Invalid Service Meta: ".
enum class ReservedKeys { refuse, allow };  ///< those that begin with "consul-"
Result<void> validate_meta(const registry::StringMap& meta, ReservedKeys reserved = ReservedKeys::refuse);

/// 0.0.0.0 or ::, which name no place.
bool is_any_address(std::string_view address);
/// passing, warning or critical.
bool is_status(std::string_view status);

}  // namespace devstack::api
