#pragma once

#include <string>
#include <vector>

#include "core/registry/state.h"

/// Which host names the proxy answers and who stands behind each: read from a registry snapshot. Knows no proxy
/// program. Pure; any thread.
namespace devstack::proxy {

struct Backend {
  std::string address;  ///< an IP literal
  int port = 0;
  friend auto operator<=>(const Backend&, const Backend&) = default;
};

struct Route {
  std::string service;             ///< lower case; what is safe in a configuration file: [a-z0-9._-]
  std::vector<std::string> hosts;  ///< exact host names, lower case
  std::vector<Backend> backends;   ///< sorted; empty: known, but nobody healthy
  friend bool operator==(const Route&, const Route&) = default;
};

/// Something in the registry that has no route, and why, in words for the user. One bad entry never costs the others.
struct Skipped {
  std::string what, why;
  friend bool operator==(const Skipped&, const Skipped&) = default;
};

struct RouteOptions {
  std::vector<std::string> domains{"localhost"};  ///< NAME.<domain>
  std::string registry_domain = "consul";         ///< NAME.service.<it>, NAME.service.<datacenter>.<it>
  std::string datacenter = "dc1";
};

struct RouteTable {
  std::vector<Route> routes;  ///< by service name
  std::vector<Skipped> skipped;
  friend bool operator==(const RouteTable&, const RouteTable&) = default;
};

/// A route for every service but "consul". Its backends are the passing instances, or those with warnings where none
/// passes; critical ones and those in maintenance get no traffic. Instances tagged "udp" or without a port do not
/// count; a service of only such ones has no route.
RouteTable routes(const registry::State& state, const RouteOptions& options);

/// Adds routes without backends for those of `services` (any case) that have none and whose name can stand in a host
/// name.
void add_empty_routes(std::vector<Route>& routes, const std::vector<std::string>& services,
                      const RouteOptions& options);
/// The route of a service; null when there is none. `routes` are in order.
const Route* find_route(const std::vector<Route>& routes, std::string_view service);

/// "127.0.0.1:80", "[::1]:80".
std::string to_string(const Backend& backend);

}  // namespace devstack::proxy
