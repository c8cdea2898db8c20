#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/docker/types.h"
#include "core/registry/types.h"

/// The checks of a container's service: what SERVICE_CHECK_* defines and what Docker's HEALTHCHECK says. Pure; any
/// thread.
///
/// The check of SERVICE_CHECK_* has the id that Consul gives to a service's only check, `service:<ServiceID>`, so that
/// a TTL's heartbeats go where Registrator's users send them. Docker's own has that id too where it is alone, and
/// `service:<ServiceID>:docker` beside another: Consul's `:1`, `:2` would move with the number of checks.
namespace devstack::registrator {

/// `metadata` are the SERVICE_* values of this port; `node_address` stands in for an empty service address. A check
/// that SERVICE_CHECK_* describes wrongly is critical and says in its output what is wrong: real Consul would refuse
/// the whole service, which nobody sees but in a log.
std::vector<registry::Check> checks_of(const docker::Container& container, const registry::Service& service,
                                       const std::map<std::string, std::string>& metadata,
                                       const std::string& node_address);

/// The ids that checks_of() may use for a service.
std::vector<std::string> check_ids(const std::string& service_id);

/// Whether the registrator has to write `wanted` over `present`. The status and output of a check that is carried out
/// belong to who carries it out; Docker's output changes with every probe and is not worth waking anybody.
bool differs(const registry::Check& wanted, const registry::Check& present);

/// Name of the check that carries Docker's HEALTHCHECK (and "paused").
inline constexpr std::string_view docker_check_name = "Docker health check";

}  // namespace devstack::registrator
