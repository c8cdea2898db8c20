#include <optional>

#include "core/api/agent_ids.h"
#include "core/api/blocking.h"
#include "core/api/encode.h"
#include "core/api/handlers.h"
#include "core/api/select.h"

/// GET /v1/agent/*: what this server says of itself. https://developer.hashicorp.com/consul/api-docs/agent
namespace devstack::api {
namespace {

using registry::Identity;
using Table = Watch::Table;

void write_tags(JsonWriter& out, const Backend& backend, const Identity& identity) {
  out.open_object();
  out.field("acls", "0");
  out.field("bootstrap", "1");
  out.field("build", backend.options.version + ":");
  out.field("dc", identity.datacenter);
  out.field("ft_fs", "1");
  out.field("ft_si", "1");
  out.field("id", identity.node_id);
  out.field("port", std::to_string(backend.options.server_port));
  out.field("raft_vsn", "3");
  out.field("role", "consul");
  out.field("segment", "");
  out.field("vsn", "2");
  out.field("vsn_max", "3");
  out.field("vsn_min", "2");
  out.field("wan_join_port", "8302");
  out.close_object();
}

enum class Pool { lan, wan };

void write_member(JsonWriter& out, const Backend& backend, const Identity& identity, Pool pool) {
  const bool wan = pool == Pool::wan;
  out.open_object();
  out.field("Name", wan ? identity.node + "." + identity.datacenter : identity.node);
  out.field("Addr", identity.address);
  out.field("Port", wan ? 8302 : 8301);
  out.key("Tags");
  write_tags(out, backend, identity);
  out.field("Status", 1);
  out.field("ProtocolMin", 1);
  out.field("ProtocolMax", 5);
  out.field("ProtocolCur", 2);
  out.field("DelegateMin", 2);
  out.field("DelegateMax", 5);
  out.field("DelegateCur", 4);
  out.close_object();
}

void write_stats(JsonWriter& out, const Backend& backend, const State& state, const Identity& identity) {
  std::size_t services = 0;
  std::size_t checks = 0;
  for (const auto& service : state.services_of(identity.node)) services += service->agent_owned ? 1 : 0;
  for (const auto& check : state.checks_of_node(identity.node)) checks += check->agent_owned ? 1 : 0;
  const auto index = std::to_string(state.index());
  const auto server = fmt::format("{}:{}", identity.address, backend.options.server_port);
  using Group = registry::StringMap;
  out.open_object();
  out.field("agent", Group{{"check_monitors", "0"},
                           {"check_ttls", "0"},
                           {"checks", std::to_string(checks)},
                           {"services", std::to_string(services)}});
  out.field("build", Group{{"prerelease", ""}, {"revision", ""}, {"version", backend.options.version}});
  out.field("consul", Group{{"acl", "disabled"},
                            {"bootstrap", "true"},
                            {"known_datacenters", "1"},
                            {"leader", "true"},
                            {"leader_addr", server},
                            {"server", "true"}});
  out.field("raft", Group{{"applied_index", index},
                          {"commit_index", index},
                          {"last_log_index", index},
                          {"num_peers", "0"},
                          {"state", "Leader"},
                          {"term", "2"}});
  out.field("runtime", Group{{"arch", "amd64"}, {"os", "linux"}, {"version", "devstack"}});
  out.field("serf_lan", Group{{"failed", "0"}, {"left", "0"}, {"members", "1"}});
  out.field("serf_wan", Group{{"failed", "0"}, {"left", "0"}, {"members", "1"}});
  out.close_object();
}

}  // namespace

void agent_self(const Call& call, const State& state, Answer& answer) {
  const auto identity = call.backend.writer.identity();
  JsonWriter out(2048);
  out.open_object();
  out.key("Config");
  out.open_object();
  out.field("Datacenter", identity.datacenter);
  out.field("PrimaryDatacenter", identity.datacenter);
  out.field("NodeName", identity.node);
  out.field("NodeID", identity.node_id);
  out.field("Revision", "");
  out.field("Server", true);
  out.field("Version", call.backend.options.version);
  out.close_object();
  out.key("DebugConfig");
  out.open_object();
  out.field("Datacenter", identity.datacenter);
  out.field("NodeName", identity.node);
  out.field("ServerMode", true);
  out.close_object();
  out.key("Coord");
  out.raw(R"({"Vec":[0,0,0,0,0,0,0,0],"Error":1.5,"Adjustment":0,"Height":0.00001})");
  out.key("Member");
  write_member(out, call.backend, identity, Pool::lan);
  out.key("Stats");
  write_stats(out, call.backend, state, identity);
  out.key("Meta");
  const auto node = state.node(identity.node);
  out.strings(node == nullptr ? registry::StringMap{} : node->meta);
  out.close_object();
  answer.body = out.take();
}

void agent_members(const Call& call, const State&, Answer& answer) {
  const auto segment = call.param("segment");
  if (!segment.empty() && segment != "_all") {
    return answer.refuse(500, "Network segments are not supported in this version of Consul");
  }
  const auto identity = call.backend.writer.identity();
  JsonWriter out;
  out.open_array();
  // A bare "wan" is not one, as in Consul.
  write_member(out, call.backend, identity, call.param("wan").empty() ? Pool::lan : Pool::wan);
  out.close_array();
  answer.body = out.take();
}

void agent_services(const Call& call, const State& state, Answer& answer) {
  const auto filter = RowFilter::make(call, agent_service_schema());
  if (!filter) return answer.refuse(filter.error());
  const auto identity = call.backend.writer.identity();
  JsonWriter out;
  out.open_object();
  for (const auto& service : state.services_of(identity.node)) {
    if (!service->agent_owned || !filter->keeps(service.get())) continue;
    out.escaped_key(service->id);
    write_agent_service(out, *service, identity.datacenter, "");
  }
  out.close_object();
  answer.body = out.take();
}

void agent_checks(const Call& call, const State& state, Answer& answer) {
  const auto filter = RowFilter::make(call, check_schema());
  if (!filter) return answer.refuse(filter.error());
  JsonWriter out;
  out.open_object();
  for (const auto& check : state.checks_of_node(call.backend.writer.identity().node)) {
    if (!check->agent_owned || !filter->keeps(check.get())) continue;
    out.escaped_key(check->id);
    write_agent_check(out, *check);
  }
  out.close_object();
  answer.body = out.take();
}

asio::awaitable<http::Response> agent_service(const Call& call) {
  const auto id = agent_id(call);
  if (!id) co_return respond(id.error());
  const auto identity = call.backend.writer.identity();
  const auto options = wait_options(call.query);
  if (!options) co_return http::text(400, options.error().message);
  const auto deadline = std::chrono::steady_clock::now() + blocking_time(options->wait, 0);
  auto state = call.backend.view.snapshot();
  auto service = agent_service_of(*state, identity.node, *id);
  std::optional<Blocked> blocked;
  while (service != nullptr && call.param("hash") == content_hash(*service)) {
    if (!blocked) blocked.emplace(call.backend);
    if (!blocked->admitted()) co_return http::text(429, std::string(Blocked::refusal));
    std::vector<Watch> watches{{Table::services, ""}};
    if (!co_await call.backend.view.wait(std::move(watches), state->index(), deadline)) break;
    state = call.backend.view.snapshot();
    service = agent_service_of(*state, identity.node, *id);
  }
  if (service == nullptr) co_return http::text(404, "unknown service ID: " + *id);
  const auto hash = content_hash(*service);
  JsonWriter out;
  write_agent_service(out, *service, identity.datacenter, hash);
  auto response = http::json(200, out.take());
  response.headers.set("X-Consul-Contenthash", hash);
  co_return response;
}

void agent_version(const Call& call, const State&, Answer& answer) {
  JsonWriter out;
  out.open_object();
  out.field("SHA", "");
  out.field("BuildDate", "1970-01-01T00:00:01Z");
  out.field("HumanVersion", call.backend.options.version);
  out.field("FIPS", "");
  out.close_object();
  answer.body = out.take();
}

asio::awaitable<http::Response> agent_reload(const Call& call) {
  call.backend.options.reload();
  co_return empty();
}

asio::awaitable<http::Response> agent_join(const Call&) {
  co_return http::text(500, "Failed to join: this registry is a single server and does not cluster");
}

asio::awaitable<http::Response> agent_force_leave(const Call& call) {
  co_return http::text(500, fmt::format("agent: No node found with name '{}'", call.rest));
}

asio::awaitable<http::Response> agent_leave(const Call&) {
  co_return http::text(500, "agent: leaving is refused: stop the program that runs this registry instead");
}

}  // namespace devstack::api
