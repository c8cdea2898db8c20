#include <fmt/format.h>

#include "core/api/decode.h"
#include "core/api/handlers.h"
#include "core/api/json_writer.h"
#include "core/api/select.h"
#include "core/base/ascii.h"

/// /v1/status, /v1/operator and /v1/coordinate of a cluster that is one server.
/// https://developer.hashicorp.com/consul/api-docs/operator
namespace devstack::api {
namespace {

using registry::Identity;
using Table = Watch::Table;

constexpr std::size_t kDimensions = 8;
constexpr std::string_view kOrigin = R"({"Vec":[0,0,0,0,0,0,0,0],"Error":1.5,"Adjustment":0,"Height":0.00001})";

std::string server_address(const Call& call, const Identity& identity) {
  const bool v6 = identity.address.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", identity.address, v6 ? "]" : "", call.backend.options.server_port);
}

void write_coordinate(JsonWriter& out, const std::string& node) {
  out.open_object();
  out.field("Node", node);
  out.field("Segment", "");
  out.key("Coord");
  out.raw(kOrigin);
  out.close_object();
}

void write_server(JsonWriter& out, const Call& call, const Identity& identity) {
  out.field("ID", identity.node_id);
  out.field("Name", identity.node);
  out.field("Address", server_address(call, identity));
}

}  // namespace

void status_leader(const Call& call, const State&, Answer& answer) {
  JsonWriter out;
  const auto identity = call.backend.writer.identity();
  out.string(call.backend.view.synced() ? server_address(call, identity) : "");
  answer.body = out.take();
}

void status_peers(const Call& call, const State&, Answer& answer) {
  JsonWriter out;
  out.open_array();
  out.string(server_address(call, call.backend.writer.identity()));
  out.close_array();
  answer.body = out.take();
}

void raft_configuration(const Call& call, const State&, Answer& answer) {
  const auto identity = call.backend.writer.identity();
  JsonWriter out;
  out.open_object();
  out.key("Servers");
  out.open_array();
  out.open_object();
  out.field("ID", identity.node_id);
  out.field("Node", identity.node);
  out.field("Address", server_address(call, identity));
  out.field("Leader", true);
  out.field("ProtocolVersion", "3");
  out.field("Voter", true);
  out.close_object();
  out.close_array();
  out.field("Index", 0);
  out.close_object();
  answer.body = out.take();
}

void autopilot_configuration(const Call&, const State&, Answer& answer) {
  answer.body = R"({"CleanupDeadServers":true,"LastContactThreshold":"200ms","MaxTrailingLogs":250,"MinQuorum":0,)"
                R"("ServerStabilizationTime":"10s","RedundancyZoneTag":"","DisableUpgradeMigration":false,)"
                R"("UpgradeVersionTag":"","CreateIndex":4,"ModifyIndex":4})";
}

void autopilot_health(const Call& call, const State& state, Answer& answer) {
  const auto identity = call.backend.writer.identity();
  JsonWriter out;
  out.open_object();
  out.field("Healthy", true);
  out.field("FailureTolerance", 0);
  out.key("Servers");
  out.open_array();
  out.open_object();
  write_server(out, call, identity);
  out.field("SerfStatus", "alive");
  out.field("Version", call.backend.options.version);
  out.field("Leader", true);
  out.field("LastContact", "0s");
  out.field("LastTerm", 2);
  out.field("LastIndex", state.index());
  out.field("Healthy", true);
  out.field("Voter", true);
  out.field("StableSince", "1970-01-01T00:00:00Z");
  out.close_object();
  out.close_array();
  out.close_object();
  answer.body = out.take();
}

void autopilot_state(const Call& call, const State& state, Answer& answer) {
  const auto identity = call.backend.writer.identity();
  JsonWriter out;
  out.open_object();
  out.field("Healthy", true);
  out.field("FailureTolerance", 0);
  out.field("OptimisticFailureTolerance", 0);
  out.key("Servers");
  out.open_object();
  out.escaped_key(identity.node_id);
  out.open_object();
  write_server(out, call, identity);
  out.field("NodeStatus", "alive");
  out.field("Version", call.backend.options.version);
  out.field("LastContact", "0s");
  out.field("LastTerm", 2);
  out.field("LastIndex", state.index());
  out.field("Healthy", true);
  out.field("StableSince", "1970-01-01T00:00:00Z");
  out.field("Status", "leader");
  out.key("Meta");
  out.raw(R"({"consul-network-segment":""})");
  out.field("ReadReplica", false);
  out.field("NodeType", "voter");
  out.close_object();
  out.close_object();
  out.field("Leader", identity.node_id);
  out.key("Voters");
  out.open_array();
  out.string(identity.node_id);
  out.close_array();
  out.close_object();
  answer.body = out.take();
}

void operator_usage(const Call& call, const State& state, Answer& answer) {
  const auto identity = call.backend.writer.identity();
  const auto nodes = state.nodes();
  std::size_t instances = 0;
  for (const auto& node : nodes) instances += state.services_of(node->name).size();
  JsonWriter out;
  out.open_object();
  out.key("Usage");
  out.open_object();
  out.escaped_key(identity.datacenter);
  out.open_object();
  out.field("Services", std::uint64_t{state.services().size()});
  out.field("ServiceInstances", std::uint64_t{instances});
  out.key("ConnectServiceInstances");
  out.raw("{}");
  out.field("BillableServiceInstances", std::uint64_t{instances});
  out.field("Nodes", std::uint64_t{nodes.size()});
  out.close_object();
  out.close_object();
  out.field("Index", state.index());
  out.field("LastContact", 0);
  out.field("KnownLeader", true);
  out.field("ConsistencyLevel", "leader");
  out.field("NotModified", false);
  out.field("Backend", 0);
  out.close_object();
  answer.body = out.take();
}

void coordinate_datacenters(const Call& call, const State&, Answer& answer) {
  const auto identity = call.backend.writer.identity();
  JsonWriter out;
  out.open_array();
  out.open_object();
  out.field("Datacenter", identity.datacenter);
  out.field("AreaID", "wan");
  out.key("Coordinates");
  out.open_array();
  write_coordinate(out, identity.node);
  out.close_array();
  out.close_object();
  out.close_array();
  answer.body = out.take();
}

void coordinate_nodes(const Call& call, const State& state, Answer& answer) {
  answer.index = state.index_of({Table::nodes, ""});
  JsonWriter out;
  out.open_array();
  // All nodes are in the segment without a name.
  if (call.param("segment").empty()) write_coordinate(out, call.backend.writer.identity().node);
  out.close_array();
  answer.body = out.take();
}

void coordinate_node(const Call& call, const State& state, Answer& answer) {
  answer.index = state.index_of({Table::nodes, ""});
  const auto identity = call.backend.writer.identity();
  if (!equal_ignoring_case(call.rest, identity.node)) {
    answer.status = 404;
    answer.bare = true;
    answer.content_type = "";
    return;
  }
  JsonWriter out;
  out.open_array();
  write_coordinate(out, identity.node);
  out.close_array();
  answer.body = out.take();
}

asio::awaitable<http::Response> coordinate_update(const Call& call) {
  const auto body = parse_json(call.request.body);
  if (!body) co_return http::text(400, "Request decode failed: " + body.error().message);
  Fields fields(*body, "CoordinateUpdateRequest");
  for (const std::string_view known : {"Datacenter", "Node", "Segment", "Token"}) fields.skip(known);
  const auto* coordinate = fields.find("Coord");
  if (auto done = fields.done(Unknown::refuse); !done) {
    co_return http::text(400, "Request decode failed: " + done.error().message);
  }
  if (coordinate == nullptr) co_return empty();
  const auto* vector = Fields(*coordinate, "Coordinate").find("Vec");
  if (vector == nullptr || !vector->is_array() || vector->get_array().size() != kDimensions) {
    co_return http::text(500, "incompatible coordinate");
  }
  co_return empty();
}

}  // namespace devstack::api
