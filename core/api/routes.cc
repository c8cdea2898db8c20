#include "core/api/routes.h"

#include <unordered_map>

#include "core/api/handlers.h"

/// The table: method list and path to handler, as Consul 1.10 registers them.
namespace devstack::api {
namespace {

constexpr auto kTrio = Header::index;
constexpr auto kFull = Header::index_and_consistency;
constexpr auto kDc = Checks::datacenter;
constexpr auto kNs = Checks::name_space;
constexpr auto kDcNs = Checks::datacenter_and_namespace;
constexpr auto kNone = Header::none;
constexpr auto kAny = Checks::none;

constexpr Route read_route(std::string_view path, ReadHandler read, WatchList watches, Header header, Checks checks,
                           bool cacheable = false) {
  return {path, "GET", read, watches, nullptr, header, checks, cacheable};
}
constexpr Route act_route(std::string_view methods, std::string_view path, ActHandler act, Checks checks = kAny) {
  return {path, methods, nullptr, nullptr, act, kNone, checks, false};
}

constexpr Route kRoutes[] = {
    // --- Status and catalog ---
    read_route("/v1/status/leader", status_leader, nullptr, kNone, kDc),
    read_route("/v1/status/peers", status_peers, nullptr, kNone, kDc),
    read_route("/v1/catalog/datacenters", catalog_datacenters, nullptr, kNone, kAny, true),
    read_route("/v1/catalog/nodes", catalog_nodes, watch_nodes, kFull, kDc),
    read_route("/v1/catalog/services", catalog_services, watch_services, kFull, kDcNs, true),
    read_route("/v1/catalog/service/", catalog_service, watch_service_instances, kFull, kDcNs, true),
    read_route("/v1/catalog/connect/", catalog_connect, watch_connect_instances, kFull, kDcNs, true),
    read_route("/v1/catalog/node/", catalog_node, watch_node, kFull, kDcNs),
    read_route("/v1/catalog/node-services/", catalog_node_services, watch_node, kFull, kDcNs),
    read_route("/v1/catalog/gateway-services/", catalog_gateway_services, watch_services, kFull, kDcNs),
    act_route("PUT", "/v1/catalog/register", catalog_register, kNs),
    act_route("PUT", "/v1/catalog/deregister", catalog_deregister, kNs),

    // --- Health ---
    read_route("/v1/health/service/", health_service, watch_service, kFull, kDcNs, true),
    read_route("/v1/health/connect/", health_connect, watch_connect, kFull, kDcNs, true),
    read_route("/v1/health/ingress/", health_ingress, watch_services, kFull, kDcNs, true),
    read_route("/v1/health/node/", health_node, watch_node_checks, kFull, kDcNs),
    read_route("/v1/health/checks/", health_checks, watch_service_checks, kFull, kDcNs),
    read_route("/v1/health/state/", health_state, watch_checks_in_state, kFull, kDcNs),

    // --- Agent ---
    read_route("/v1/agent/self", agent_self, nullptr, kNone, kAny),
    read_route("/v1/agent/services", agent_services, nullptr, kNone, kNs),
    read_route("/v1/agent/checks", agent_checks, nullptr, kNone, kNs),
    read_route("/v1/agent/members", agent_members, nullptr, kNone, kAny),
    read_route("/v1/agent/host", agent_host, nullptr, kNone, kAny),
    read_route("/v1/agent/version", agent_version, nullptr, kNone, kAny),
    read_route("/v1/agent/metrics", agent_metrics, nullptr, kNone, kAny),
    read_route("/v1/agent/health/service/id/", agent_health_by_id, nullptr, kNone, kNs),
    read_route("/v1/agent/health/service/name/", agent_health_by_name, nullptr, kNone, kNs),
    act_route("GET", "/v1/agent/service/", agent_service, kNs),
    act_route("PUT", "/v1/agent/service/register", agent_register_service, kNs),
    act_route("PUT", "/v1/agent/service/deregister/", agent_deregister_service, kNs),
    act_route("PUT", "/v1/agent/service/maintenance/", agent_service_maintenance, kNs),
    act_route("PUT", "/v1/agent/maintenance", agent_maintenance),
    act_route("PUT", "/v1/agent/check/register", agent_register_check, kNs),
    act_route("PUT", "/v1/agent/check/deregister/", agent_deregister_check, kNs),
    act_route("PUT", "/v1/agent/check/pass/", agent_check_pass, kNs),
    act_route("PUT", "/v1/agent/check/warn/", agent_check_warn, kNs),
    act_route("PUT", "/v1/agent/check/fail/", agent_check_fail, kNs),
    act_route("PUT", "/v1/agent/check/update/", agent_check_update, kNs),
    act_route("PUT", "/v1/agent/reload", agent_reload),
    act_route("PUT", "/v1/agent/join/", agent_join),
    act_route("PUT", "/v1/agent/force-leave/", agent_force_leave),
    act_route("PUT", "/v1/agent/leave", agent_leave),
    act_route("PUT", "/v1/agent/token/", acl_disabled),
    act_route("GET", "/v1/agent/monitor", agent_monitor),
    act_route("GET", "/v1/agent/metrics/stream", agent_metrics_stream),
    act_route("GET", "/v1/agent/connect/ca/roots", connect_disabled),
    act_route("GET", "/v1/agent/connect/ca/leaf/", connect_disabled),
    act_route("POST", "/v1/agent/connect/authorize", connect_authorize),

    // --- KV, transactions, sessions, events ---
    Route{"/v1/kv/", "GET,PUT,DELETE", kv_get, watch_kv, kv_change, kTrio, kDcNs, false},
    act_route("PUT", "/v1/txn", txn, kDc),
    act_route("PUT", "/v1/session/create", session_create, kDcNs),
    act_route("PUT", "/v1/session/destroy/", session_destroy, kDcNs),
    act_route("PUT", "/v1/session/renew/", session_renew, kDcNs),
    read_route("/v1/session/info/", session_info, watch_sessions, kTrio, kDcNs),
    read_route("/v1/session/node/", session_node, watch_sessions, kTrio, kDcNs),
    read_route("/v1/session/list", session_list, watch_sessions, kTrio, kDcNs),
    act_route("PUT", "/v1/event/fire/", event_fire, kDc),
    act_route("GET", "/v1/event/list", event_list_when_changed),

    // --- Prepared queries ---
    Route{"/v1/query", "GET,POST", query_list, watch_queries, query_create, kFull, kDc, false},
    Route{"/v1/query/", "GET,PUT,DELETE", query_read, watch_queries, query_change, kFull, kDc, true},

    // --- Coordinates, operator, UI, snapshot ---
    read_route("/v1/coordinate/datacenters", coordinate_datacenters, nullptr, kNone, kAny),
    read_route("/v1/coordinate/nodes", coordinate_nodes, watch_nodes, kTrio, kDc),
    read_route("/v1/coordinate/node/", coordinate_node, watch_nodes, kTrio, kDc),
    act_route("PUT", "/v1/coordinate/update", coordinate_update, kDc),
    read_route("/v1/operator/raft/configuration", raft_configuration, nullptr, kNone, kDc),
    act_route("DELETE", "/v1/operator/raft/peer", raft_peer, kDc),
    act_route("GET,POST,PUT,DELETE", "/v1/operator/keyring", keyring),
    Route{"/v1/operator/autopilot/configuration", "GET,PUT", autopilot_configuration, nullptr, not_built, kNone, kDc,
          false},
    read_route("/v1/operator/autopilot/health", autopilot_health, nullptr, kNone, kDc),
    read_route("/v1/operator/autopilot/state", autopilot_state, nullptr, kNone, kDc),
    read_route("/v1/operator/usage", operator_usage, nullptr, kNone, kDc),
    act_route("GET,PUT", "/v1/snapshot", snapshot, kDc),
    read_route("/v1/internal/ui/services", ui_services, watch_catalog, kTrio, kDcNs),
    read_route("/v1/internal/ui/nodes", ui_nodes, watch_catalog, kTrio, kDcNs),
    read_route("/v1/internal/ui/node/", ui_node, watch_catalog, kTrio, kDcNs),
    read_route("/v1/internal/ui/gateway-services-nodes/", ui_empty_list, watch_catalog, kTrio, kDcNs),
    read_route("/v1/internal/ui/gateway-intentions/", ui_empty_list, watch_catalog, kTrio, kDcNs),
    read_route("/v1/internal/ui/metrics-proxy/", ui_metrics_proxy, nullptr, kNone, kAny),
    act_route("GET", "/v1/internal/ui/service-topology/", service_topology, kDc),
    read_route("/v1/internal/federation-states", empty_list, nullptr, kNone, kDc),
    act_route("POST", "/v1/internal/acl/authorize", acl_disabled),

    // --- Connect: as a server that has it switched off ---
    Route{"/v1/config/", "GET,DELETE", config_list, nullptr, not_built, kTrio, kDcNs, false},
    act_route("PUT", "/v1/config", not_built, kDcNs),
    act_route("GET,PUT", "/v1/connect/ca/configuration", connect_disabled),
    act_route("GET", "/v1/connect/ca/roots", connect_disabled),
    act_route("GET,POST", "/v1/connect/intentions", connect_disabled),
    act_route("GET", "/v1/connect/intentions/match", intention_match),
    act_route("GET", "/v1/connect/intentions/check", intention_exact),
    act_route("GET,PUT,DELETE", "/v1/connect/intentions/exact", intention_exact),
    act_route("GET,PUT,DELETE", "/v1/connect/intentions/", connect_disabled),
    act_route("GET,POST", "/v1/discovery-chain/", discovery_chain),

    // --- ACL: likewise ---
    act_route("PUT", "/v1/acl/bootstrap", acl_disabled),
    act_route("PUT", "/v1/acl/create", acl_disabled),
    act_route("PUT", "/v1/acl/update", acl_disabled),
    act_route("PUT", "/v1/acl/destroy/", acl_disabled),
    act_route("GET", "/v1/acl/info/", acl_disabled),
    act_route("PUT", "/v1/acl/clone/", acl_disabled),
    act_route("GET", "/v1/acl/list", acl_disabled),
    act_route("POST", "/v1/acl/login", acl_disabled),
    act_route("POST", "/v1/acl/logout", acl_disabled),
    act_route("GET", "/v1/acl/replication", acl_disabled),
    act_route("GET", "/v1/acl/policies", acl_disabled),
    act_route("PUT", "/v1/acl/policy", acl_disabled),
    act_route("GET", "/v1/acl/policy/name/", acl_disabled),
    act_route("GET,PUT,DELETE", "/v1/acl/policy/", acl_disabled),
    act_route("GET", "/v1/acl/roles", acl_disabled),
    act_route("PUT", "/v1/acl/role", acl_disabled),
    act_route("GET", "/v1/acl/role/name/", acl_disabled),
    act_route("GET,PUT,DELETE", "/v1/acl/role/", acl_disabled),
    act_route("GET", "/v1/acl/binding-rules", acl_disabled),
    act_route("PUT", "/v1/acl/binding-rule", acl_disabled),
    act_route("GET,PUT,DELETE", "/v1/acl/binding-rule/", acl_disabled),
    act_route("GET", "/v1/acl/auth-methods", acl_disabled),
    act_route("PUT", "/v1/acl/auth-method", acl_disabled),
    act_route("GET,PUT,DELETE", "/v1/acl/auth-method/", acl_disabled),
    act_route("POST", "/v1/acl/rules/translate", acl_disabled),
    act_route("GET", "/v1/acl/rules/translate/", acl_disabled),
    act_route("GET", "/v1/acl/tokens", acl_disabled),
    act_route("PUT", "/v1/acl/token", acl_disabled),
    act_route("GET", "/v1/acl/token/self", acl_disabled),
    act_route("GET,PUT,DELETE", "/v1/acl/token/", acl_disabled),
};

using RouteIndex = std::unordered_map<std::string_view, const Route*>;

const RouteIndex& by_path() {
  static const RouteIndex index = [] {
    RouteIndex out;
    for (const auto& route : kRoutes) out.emplace(route.path, &route);
    return out;
  }();
  return index;
}

/// No route has more segments than this.
constexpr int kDeepestRoute = 7;

}  // namespace

std::span<const Route> routes() { return kRoutes; }

Match find_route(std::string_view path) {
  const auto& index = by_path();
  Match match;
  if (const auto exact = index.find(path); exact != index.end()) {
    match.route = exact->second;
    return match;
  }
  std::size_t slash = 0;
  for (int depth = 0; depth < kDeepestRoute; ++depth) {
    slash = path.find('/', slash);
    if (slash == std::string_view::npos) break;
    ++slash;
    const auto found = index.find(path.substr(0, slash));
    if (found == index.end()) continue;
    match.route = found->second;
    match.rest = path.substr(slash);
  }
  if (!path.ends_with('/')) match.needs_slash = index.contains(std::string(path) + "/");
  return match;
}

}  // namespace devstack::api
