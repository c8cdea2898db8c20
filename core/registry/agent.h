#pragma once

#include <vector>

#include "core/registry/registry.h"

/// What the agent adds to a registration before it reaches the catalog. Pure; shared by
/// register_service and the HTTP API's agent/service/register.
namespace devstack::registry {

/// A command on the registry's own node, whose entry it leaves as it is; checks that are there keep their status.
RegisterCommand on_own_node(const Identity& identity);

/// An IP-literal service address appears as tagged addresses lan_ipv4 and wan_ipv4 (or _ipv6) too, unless given.
void add_ip_tagged_addresses(Service& service);

/// Gives the service's checks what a registration may leave out: node, service, the id `service:<id>` when there is one
/// check, `service:<id>:1`, `:2` … when there are several (explicit ids consume their number), the name `Service
/// '<name>' check`, and `type` from the definition.
void complete_checks(const Service& service, std::vector<Check>& checks);

/// "ttl", "http", … as Check::type shows it; "" for none.
[[nodiscard]] std::string_view type_name(CheckDefinition::Kind kind);

}  // namespace devstack::registry
