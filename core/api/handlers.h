#pragma once

#include "core/api/call.h"

/// Every handler that routes.cc names, by the file that has it. Private to the room.
namespace devstack::api {

#define READ(name) void name(const Call& call, const State& state, Answer& answer)
#define WATCH(name) std::vector<Watch> name(const Call& call)
#define ACT(name) asio::awaitable<http::Response> name(const Call& call)

// catalog.cc
READ(catalog_datacenters);
READ(catalog_nodes);
READ(catalog_services);
READ(catalog_service);
READ(catalog_connect);
READ(catalog_node);
READ(catalog_node_services);
READ(catalog_gateway_services);
WATCH(watch_nodes);
WATCH(watch_services);
WATCH(watch_service_instances);
WATCH(watch_connect_instances);
WATCH(watch_node);

// catalog_write.cc
ACT(catalog_register);
ACT(catalog_deregister);

// health.cc
READ(health_service);
READ(health_connect);
READ(health_ingress);
READ(health_node);
READ(health_checks);
READ(health_state);
WATCH(watch_service);
WATCH(watch_connect);
WATCH(watch_node_checks);
WATCH(watch_service_checks);
WATCH(watch_checks_in_state);

// agent.cc
READ(agent_self);
READ(agent_services);
READ(agent_checks);
READ(agent_members);
READ(agent_version);
ACT(agent_service);
ACT(agent_reload);
ACT(agent_join);
ACT(agent_force_leave);
ACT(agent_leave);

// agent_metrics.cc
READ(agent_metrics);
ACT(agent_metrics_stream);

// host.cc
READ(agent_host);

// monitor.cc
ACT(agent_monitor);

// agent_health.cc
READ(agent_health_by_id);
READ(agent_health_by_name);

// agent_register.cc
ACT(agent_register_service);
ACT(agent_deregister_service);
ACT(agent_register_check);
ACT(agent_deregister_check);

// agent_check.cc
ACT(agent_check_pass);
ACT(agent_check_warn);
ACT(agent_check_fail);
ACT(agent_check_update);
ACT(agent_service_maintenance);
ACT(agent_maintenance);

// kv.cc
READ(kv_get);
WATCH(watch_kv);
ACT(kv_change);

// txn.cc
ACT(txn);

// session.cc
READ(session_info);
READ(session_list);
READ(session_node);
WATCH(watch_sessions);
ACT(session_create);
ACT(session_renew);
ACT(session_destroy);

// event.cc
READ(event_list);
ACT(event_list_when_changed);
ACT(event_fire);

// cluster.cc
READ(status_leader);
READ(status_peers);
READ(raft_configuration);
READ(autopilot_configuration);
READ(autopilot_health);
READ(autopilot_state);
READ(operator_usage);
READ(coordinate_datacenters);
READ(coordinate_nodes);
READ(coordinate_node);
ACT(coordinate_update);

// internal_ui.cc
READ(ui_services);
READ(ui_nodes);
READ(ui_node);
READ(ui_empty_list);
READ(ui_metrics_proxy);
WATCH(watch_catalog);

// query.cc
READ(query_list);
WATCH(watch_queries);
READ(query_read);
ACT(query_create);
ACT(query_change);

// snapshot.cc
ACT(snapshot);

// unsupported.cc
ACT(acl_disabled);
ACT(connect_disabled);
ACT(intention_match);
ACT(intention_exact);
ACT(discovery_chain);
READ(config_list);
READ(empty_list);
ACT(not_built);
ACT(keyring);
ACT(raft_peer);
ACT(connect_authorize);
ACT(service_topology);

#undef READ
#undef WATCH
#undef ACT

}  // namespace devstack::api
