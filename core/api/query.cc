#include <algorithm>
#include <charconv>
#include <random>

#include "core/api/encode.h"
#include "core/api/go_text.h"
#include "core/api/handlers.h"
#include "core/api/query_definition.h"
#include "core/api/select.h"
#include "core/api/uuid.h"
#include "core/base/ascii.h"
#include "core/registry/uuid.h"

/// /v1/query/*: prepared queries, which the registry keeps and this file carries out.
/// https://developer.hashicorp.com/consul/api-docs/query
namespace devstack::api {
namespace {

using registry::Instance;
using Table = Watch::Table;

constexpr std::string_view kExecute = "/execute";
constexpr std::string_view kExplain = "/explain";

/// What looking up a malformed id says, "" for one that is well formed.
std::string bad_id(std::string_view id) {
  const auto why = registry::uuid_lookup_error(id);
  return why.empty() ? "" : "failed prepared query lookup: index error: " + why;
}

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

/// `limit` and `connect` of an execution. Errors are the 500's text.
struct ExecuteOptions {
  std::size_t limit = 0;
  bool connect = false;
};
Result<ExecuteOptions> execute_options(const Call& call) {
  ExecuteOptions out;
  if (const auto text = call.param("limit"); !text.empty()) {
    int limit = 0;
    const char* end = text.data() + text.size();
    const char* begin = text.front() == '+' ? text.data() + 1 : text.data();
    const auto [at, error] = std::from_chars(begin, end, limit);
    const bool fits = error != std::errc::result_out_of_range;
    if (error != std::errc() || at != end) {
      return fail(Errc::failed, "Bad limit: strconv.Atoi: parsing {}: {}", go_quote(text),
                  fits ? "invalid syntax" : "value out of range");
    }
    out.limit = static_cast<std::size_t>(std::max(limit, 0));
  }
  if (const auto text = call.param("connect"); !text.empty()) {
    const auto connect = parse_bool(text);
    if (!connect) {
      return fail(Errc::failed, "Error parsing 'connect' value: strconv.ParseBool: parsing {}: invalid syntax",
                  go_quote(text));
    }
    out.connect = *connect;
  }
  return out;
}

std::vector<const Instance*> chosen(const Call& call, const QueryDefinition& query, std::size_t limit,
                                    const std::vector<Instance>& all) {
  std::vector<const Instance*> rows;
  for (const auto& instance : all) {
    if (registry::query_takes(query, instance)) rows.push_back(&instance);
  }
  thread_local std::minstd_rand source{std::random_device{}()};
  std::shuffle(rows.begin(), rows.end(), source);
  sort_near(rows, near_node(call, call.query.has("near") ? call.param("near") : query.near), node_name_of);
  if (limit > 0 && rows.size() > limit) rows.resize(limit);
  return rows;
}

void execute(const Call& call, const State& state, std::string_view asked, Answer& answer) {
  const auto options = execute_options(call);
  if (!options) return answer.refuse(options.error());
  const auto resolved = registry::resolve_query(state, asked);
  if (!resolved) {
    return answer.refuse(resolved.error().code == Errc::not_found ? 404 : 500, resolved.error().message);
  }
  const auto& query = resolved->query;
  auto wanted = query;
  wanted.connect = query.connect || options->connect;
  const auto instances = registry::query_candidates(state, wanted);
  JsonWriter out;
  out.open_object();
  out.field("Service", query.service);
  out.key("Nodes");
  out.open_array();
  for (const auto* instance : chosen(call, query, options->limit, *instances)) {
    write_instance(out, *instance, EmptyList::as_null);
  }
  out.close_array();
  out.key("DNS");
  out.open_object();
  out.field("TTL", query.dns_ttl);
  out.close_object();
  out.field("Datacenter", call.backend.writer.identity().datacenter);
  out.field("Failovers", 0);
  write_meta(out, name_of(call.options.consistency));
  out.close_object();
  answer.body = out.take();
}

void explain(const Call& call, const State& state, std::string_view asked, Answer& answer) {
  const auto resolved = registry::resolve_query(state, asked);
  if (!resolved) {
    return answer.refuse(resolved.error().code == Errc::not_found ? 404 : 500, resolved.error().message);
  }
  JsonWriter out;
  out.open_object();
  out.key("Query");
  write_stored(out, *resolved->stored, resolved->query);
  write_meta(out, name_of(call.options.consistency));
  out.close_object();
  answer.body = out.take();
}

/// What the state store refuses, apart from what the registry does when it applies the command.
Result<void> check_against(const State& state, const QueryDefinition& query, std::string_view id) {
  const auto refuse = [](std::string_view why) { return fail(Errc::failed, "raft apply failed: {}", why); };
  const bool catches_all = query.name.empty() && query.is_template();
  for (const auto& stored : catches_all ? state.queries() : std::vector<registry::QueryPtr>{}) {
    if (!stored->name.empty() || equal_ignoring_case(stored->id, id)) continue;
    const auto other = registry::read_definition(stored->definition);
    if (other && other->is_template()) return refuse("a query template with an empty name already exists");
  }
  if (is_uuid(query.name) && state.query(query.name) != nullptr) {
    return refuse(fmt::format("name '{}' aliases an existing query ID", query.name));
  }
  if (auto compiled = compile_template(query); !compiled) return refuse(compiled.error().message);
  return {};
}

asio::awaitable<http::Response> put_query(const Call& call, registry::QuerySetCommand::Mode mode) {
  const bool bare = mode == registry::QuerySetCommand::Mode::update && call.request.body.empty();
  const auto body = parse_json(bare ? "{}" : std::string_view(call.request.body));
  if (!body) co_return http::text(400, "Request decode failed: " + body.error().message);
  std::string id;
  const auto query = read_query(*body, id);
  if (!query) co_return http::text(400, "Request decode failed: " + query.error().message);
  const bool create = mode == registry::QuerySetCommand::Mode::create;
  if (create && !id.empty()) co_return http::text(500, "ID must be empty when creating a new prepared query");
  const auto state = call.backend.view.snapshot();
  if (!create) {
    if (const auto why = bad_id(call.rest); !why.empty())
      co_return http::text(500, "Prepared Query lookup failed: " + why);
    if (state->query(call.rest) == nullptr) {
      co_return http::text(500, fmt::format("Cannot modify non-existent prepared query: '{}'", call.rest));
    }
  }
  if (const auto valid = validate_query(*query); !valid) co_return respond(valid.error());
  if (const auto fits = check_against(*state, *query, create ? "" : call.rest); !fits) co_return respond(fits.error());
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
    if (const auto query = registry::read_definition(stored->definition)) write_stored(out, *stored, *query);
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
      explain(call, state, asked, answer);
    }
    answer.index = 1;
    answer.unblocked = true;
    return;
  }
  if (auto why = bad_id(call.rest); !why.empty()) return answer.refuse(500, std::move(why));
  answer.index = state.index_of({Table::queries, ""});
  const auto stored = state.query(call.rest);
  if (stored == nullptr) return answer.refuse(404, "Query not found");
  const auto query = registry::read_definition(stored->definition);
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
  if (call.request.method == "PUT") co_return co_await put_query(call, registry::QuerySetCommand::Mode::update);
  if (const auto why = bad_id(call.rest); !why.empty())
    co_return http::text(500, "Prepared Query lookup failed: " + why);
  registry::QueryDeleteCommand command;
  command.id = call.rest;
  registry::Command posted = std::move(command);
  const auto result = co_await call.backend.writer.apply(std::move(posted));
  if (!result) co_return respond(result.error());
  co_return empty();
}

}  // namespace devstack::api
