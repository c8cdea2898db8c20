#include "core/proxy/routes.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <optional>
#include <set>
#include <utility>

#include "core/base/ascii.h"

namespace devstack::proxy {
namespace {

constexpr std::size_t max_name = 200;

bool usable_name(std::string_view name) {
  return !name.empty() && name.size() <= max_name && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

std::optional<std::string> ip_literal(const std::string& address) {
  if (to_lower(address) == "localhost") return "127.0.0.1";
  boost::system::error_code not_an_ip;
  const auto ip = boost::asio::ip::make_address(address, not_an_ip);
  if (not_an_ip || ip.is_unspecified()) return std::nullopt;
  return ip.to_string();
}

bool speaks_tcp(const registry::Service& service) {
  return service.port > 0 && service.port <= 65535 && service.kind.empty() &&
         std::find(service.tags.begin(), service.tags.end(), "udp") == service.tags.end();
}

std::vector<std::string> hosts_of(const std::string& name, const RouteOptions& options) {
  std::vector<std::string> hosts;
  for (const auto& domain : options.domains) hosts.push_back(name + "." + to_lower(domain));
  const auto registry_domain = to_lower(options.registry_domain);
  hosts.push_back(name + ".service." + registry_domain);
  hosts.push_back(name + ".service." + to_lower(options.datacenter) + "." + registry_domain);
  return hosts;
}

bool by_service(const Route& a, const Route& b) { return a.service < b.service; }

/// Nothing when no instance can be reached over TCP at all.
std::optional<Route> route_of(const std::string& name, const std::vector<registry::Instance>& instances,
                              const RouteOptions& options, std::vector<Skipped>& skipped) {
  std::vector<Backend> passing, warning;
  bool known = false;
  for (const auto& instance : instances) {
    if (!speaks_tcp(*instance.service)) continue;
    known = true;
    const auto status = instance.aggregated_status();
    if (status != registry::status::passing && status != registry::status::warning) continue;
    const auto address = ip_literal(instance.address());
    if (!address) {
      skipped.push_back({instance.service->id, "its address \"" + instance.address() + "\" is not an IP address"});
      continue;
    }
    (status == registry::status::passing ? passing : warning).push_back({*address, instance.service->port});
  }
  if (!known) return std::nullopt;
  Route route{name, hosts_of(name, options), std::move(passing.empty() ? warning : passing)};
  std::sort(route.backends.begin(), route.backends.end());
  route.backends.erase(std::unique(route.backends.begin(), route.backends.end()), route.backends.end());
  return route;
}

}  // namespace

RouteTable routes(const registry::State& state, const RouteOptions& options) {
  RouteTable table;
  std::set<std::string> seen;
  for (const auto& [registered, tags] : state.services()) {
    const auto name = to_lower(registered);
    if (name == "consul") continue;
    if (!usable_name(name)) {
      table.skipped.push_back({registered, "its name cannot stand in a host name"});
      continue;
    }
    // "Web" and "web" are one name: instances() has answered for both.
    if (!seen.insert(name).second) continue;
    if (auto route = route_of(name, state.instances(registered), options, table.skipped)) {
      table.routes.push_back(std::move(*route));
    }
  }
  std::sort(table.routes.begin(), table.routes.end(), by_service);
  return table;
}

void add_empty_routes(std::vector<Route>& routes, const std::vector<std::string>& services,
                      const RouteOptions& options) {
  std::set<std::string> missing;
  for (const auto& service : services) {
    auto name = to_lower(service);
    if (usable_name(name) && name != "consul" && find_route(routes, name) == nullptr) missing.insert(std::move(name));
  }
  for (const auto& name : missing) routes.push_back({name, hosts_of(name, options), {}});
  std::sort(routes.begin(), routes.end(), by_service);
}

const Route* find_route(const std::vector<Route>& routes, std::string_view service) {
  const auto at = std::lower_bound(routes.begin(), routes.end(), service,
                                   [](const Route& route, std::string_view name) { return route.service < name; });
  return at != routes.end() && at->service == service ? &*at : nullptr;
}

std::string to_string(const Backend& backend) {
  const bool v6 = backend.address.find(':') != std::string::npos;
  return (v6 ? "[" + backend.address + "]" : backend.address) + ":" + std::to_string(backend.port);
}

}  // namespace devstack::proxy
