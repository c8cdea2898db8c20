#include <algorithm>
#include <charconv>
#include <random>

#include "core/api/connect.h"
#include "core/api/encode.h"
#include "core/api/handlers.h"
#include "core/api/query_definition.h"
#include "core/api/select.h"
#include "core/api/uuid.h"

/// /v1/query/*: prepared queries, which the registry keeps and this file carries out.
/// https://developer.hashicorp.com/consul/api-docs/query
namespace devstack::api {
namespace {

using registry::Instance;
using registry::QueryPtr;
using Table = Watch::Table;

constexpr std::string_view kExecute = "/execute";
constexpr std::string_view kExplain = "/explain";
constexpr std::string_view kBadId = "failed prepared query lookup: index error: UUID must be 36 characters";

std::string node_name_of(const Instance* instance) { return instance->node->name; }

void write_stored(JsonWriter& out, const registry::PreparedQuery& stored, const QueryDefinition& query) {
  write_query(out, query, stored.id, stored.create_index, stored.modify_index);
}

void write_meta(JsonWriter& out, std::string_view consistency) {
  out.field("Index", 1);
  out.field("LastContact", 0);
  out.field("KnownLeader", true);
  out.field("ConsistencyLevel", consistency);
  out.field("NotModified", false);
  out.field("Backend", 0);
}

struct Resolved {
  QueryPtr stored;
  QueryDefinition query;  ///< a template filled in
};

/// By id, by exact name, then by the longest template whose name starts the asked one. Errors: Errc::not_found, or
/// Errc::failed for what cannot be run.
Result<Resolved> resolve(const State& state, std::string_view asked) {
  const auto not_there = [] { return fail(Errc::not_found, "Query not found"); };
  if (is_uuid(asked)) {
    const auto stored = state.query(asked);
    if (stored == nullptr) return not_there();
    TRY(auto query, query_from_text(stored->definition));
    if (query.is_template())
      return fail(Errc::failed, "prepared query templates can only be resolved up by name, not by ID");
    return Resolved{stored, std::move(query)};
  }
  std::optional<Resolved> best;
  for (const auto& stored : state.queries()) {
    const bool exact = equal_without_case(stored->name, asked);
    const bool starts =
        asked.size() >= stored->name.size() && equal_without_case(asked.substr(0, stored->name.size()), stored->name);
    if (!exact && !starts) continue;
    auto query = query_from_text(stored->definition);
    if (!query) continue;
    if (!query->is_template()) {
      if (exact && !stored->name.empty()) return Resolved{stored, std::move(*query)};
      continue;
    }
    if (!best || stored->name.size() > best->stored->name.size()) {
      best = Resolved{stored, render_query(*query, asked)};
    }
  }
  if (!best) return not_there();
  return std::move(*best);
}

std::vector<const Instance*> chosen(const Call& call, const QueryDefinition& query, const std::vector<Instance>& all) {
  std::vector<const Instance*> rows;
  for (const auto& instance : all) {
    if (query_takes(query, instance)) rows.push_back(&instance);
  }
  thread_local std::minstd_rand source{std::random_device{}()};
  std::shuffle(rows.begin(), rows.end(), source);
  std::string near = near_node(call);
  if (near.empty()) near = query.near == "_agent" ? call.backend.writer.identity().node : query.near;
  sort_near(rows, near, node_name_of);
  std::size_t limit = 0;
  const auto text = call.param("limit");
  std::from_chars(text.data(), text.data() + text.size(), limit);
  if (limit > 0 && rows.size() > limit) rows.resize(limit);
  return rows;
}

void execute(const Call& call, const State& state, std::string_view asked, Answer& answer) {
  const auto resolved = resolve(state, asked);
  if (!resolved) {
    return answer.refuse(resolved.error().code == Errc::not_found ? 404 : 500, resolved.error().message);
  }
  const auto& query = resolved->query;
  const bool connect = query.connect || call.query.has("connect");
  const auto instances = connect
                             ? std::make_shared<const std::vector<Instance>>(connect_instances(state, query.service))
                             : state.instance_set(query.service);
  JsonWriter out;
  out.open_object();
  out.field("Service", query.service);
  out.key("Nodes");
  out.open_array();
  for (const auto* instance : chosen(call, query, *instances)) write_instance(out, *instance);
  out.close_array();
  out.key("DNS");
  out.open_object();
  out.field("TTL", query.dns_ttl);
  out.close_object();
  out.field("Datacenter", call.backend.writer.identity().datacenter);
  out.field("Failovers", 0);
  write_meta(out, "leader");
  out.close_object();
  answer.body = out.take();
}

void explain(const State& state, std::string_view asked, Answer& answer) {
  const auto resolved = resolve(state, asked);
  if (!resolved) {
    return answer.refuse(resolved.error().code == Errc::not_found ? 404 : 500, resolved.error().message);
  }
  JsonWriter out;
  out.open_object();
  out.key("Query");
  write_stored(out, *resolved->stored, resolved->query);
  write_meta(out, "leader");
  out.close_object();
  answer.body = out.take();
}

asio::awaitable<http::Response> put_query(const Call& call, registry::QuerySetCommand::Mode mode) {
  const auto body = parse_json(call.request.body);
  if (!body) co_return http::text(400, "Request decode failed: " + body.error().message);
  std::string id;
  const auto query = read_query(*body, id);
  if (!query) co_return http::text(400, "Request decode failed: " + query.error().message);
  const bool create = mode == registry::QuerySetCommand::Mode::create;
  if (create && !id.empty()) co_return http::text(500, "ID must be empty when creating a new prepared query");
  if (const auto valid = validate_query(*query); !valid) co_return respond(valid.error());
  registry::QuerySetCommand command;
  command.mode = mode;
  command.query.id = create ? new_uuid() : std::string(call.rest);
  command.query.name = query->name;
  command.query.session = query->session;
  command.query.definition = query_text(*query);
  JsonWriter out;
  out.open_object();
  out.field("ID", command.query.id);
  out.close_object();
  registry::Command posted = std::move(command);
  const auto result = co_await call.backend.writer.apply(std::move(posted));
  if (!result) co_return respond(result.error());
  if (create) co_return http::json(200, out.take());
  co_return empty();
}

}  // namespace

void query_list(const Call&, const State& state, Answer& answer) {
  answer.index = state.index_of({Table::queries, ""});
  JsonWriter out;
  out.open_array();
  for (const auto& stored : state.queries()) {
    if (const auto query = query_from_text(stored->definition)) write_stored(out, *stored, *query);
  }
  out.close_array();
  answer.body = out.take();
}

void query_read(const Call& call, const State& state, Answer& answer) {
  const auto with_suffix = [&](std::string_view suffix) { return call.rest.ends_with(suffix); };
  if (with_suffix(kExecute) || with_suffix(kExplain)) {
    // Both suffixes have the same length; neither blocks.
    const auto asked = call.rest.substr(0, call.rest.size() - kExecute.size());
    if (with_suffix(kExecute)) {
      execute(call, state, asked, answer);
    } else {
      explain(state, asked, answer);
    }
    answer.index = 1;
    answer.unblocked = true;
    return;
  }
  if (call.rest.size() != 36) return answer.refuse(500, std::string(kBadId));
  answer.index = state.index_of({Table::queries, ""});
  const auto stored = state.query(call.rest);
  if (stored == nullptr) return answer.refuse(404, "Query not found");
  const auto query = query_from_text(stored->definition);
  if (!query) return answer.refuse(500, query.error().message);
  JsonWriter out;
  out.open_array();
  write_stored(out, *stored, *query);
  out.close_array();
  answer.body = out.take();
}

std::vector<Watch> watch_queries(const Call&) { return {{Table::queries, ""}}; }

asio::awaitable<http::Response> query_create(const Call& call) {
  co_return co_await put_query(call, registry::QuerySetCommand::Mode::create);
}

asio::awaitable<http::Response> query_change(const Call& call) {
  if (call.rest.size() != 36) co_return http::text(500, std::string(kBadId));
  if (call.request.method == "PUT") co_return co_await put_query(call, registry::QuerySetCommand::Mode::update);
  registry::QueryDeleteCommand command;
  command.id = call.rest;
  registry::Command posted = std::move(command);
  const auto result = co_await call.backend.writer.apply(std::move(posted));
  if (!result) co_return respond(result.error());
  co_return empty();
}

}  // namespace devstack::api
