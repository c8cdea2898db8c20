#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/registry/state.h"

/// Prepared queries carried out: found by id or name, a template filled in, instances chosen. HTTP and DNS answer from
/// this. Pure; any thread. https://developer.hashicorp.com/consul/api-docs/query
namespace devstack::registry {

struct QueryDefinition {
  std::string name, session, token;
  std::string template_type, template_regexp;
  bool remove_empty_tags = false;

  std::string service;
  int nearest_n = 0;
  std::vector<std::string> datacenters;
  bool only_passing = false, connect = false;
  std::vector<std::string> ignore_check_ids, tags;
  std::string near;
  StringMap node_meta, service_meta;
  std::string dns_ttl;
  bool tags_as_list = false;  ///< no tags are written [], not null

  [[nodiscard]] bool is_template() const { return !template_type.empty(); }
};

/// What PreparedQuery::definition says. Errc::parse when it was not written by us.
Result<QueryDefinition> read_definition(std::string_view json_text);

/// A stored query and what it asks for.
struct ResolvedQuery {
  QueryPtr stored;
  QueryDefinition query;  ///< a template filled in
};

/// By id, by exact name, then by the longest template whose name starts the asked one; all without case. Errors:
/// Errc::not_found, or Errc::failed for what cannot be run.
Result<ResolvedQuery> resolve_query(const State& state, std::string_view asked);

/// The query that a template stands for when `asked` was asked: ${name.full}, ${name.prefix}, ${name.suffix},
/// ${match(N)} and ${agent.segment} replaced. Errors are those of Interpolation::fill (query_template.h).
Result<QueryDefinition> render_query(const QueryDefinition& query, std::string_view asked);

/// Every text of the Service part with its name in errors: what a template fills in. Ends at the first error.
Result<void> for_each_text(QueryDefinition& query,
                           const std::function<Result<void>(const std::string& name, std::string& text)>& visit);

/// Whether the query wants this instance, health included.
bool query_takes(const QueryDefinition& query, const Instance& instance);

/// All instances among which the query chooses: of its service, or who speaks for it in the mesh.
std::shared_ptr<const std::vector<Instance>> query_candidates(const State& state, const QueryDefinition& query);

/// Who asks, for `Near`.
struct QuerySource {
  std::string_view own_node;  ///< "_agent"
  std::string address;        ///< "_ip": the node with this address; "" when it is not known
};
/// The node to put first, "" for none.
std::string query_near(const State& state, const QueryDefinition& query, const QuerySource& source);

/// Proxies whose Proxy.DestinationServiceName it is (without case), and its own instances that are Connect-native; by
/// node, then id. Looks at every proxy: the registry keeps no index of them.
std::vector<Instance> connect_instances(const State& state, std::string_view service);

}  // namespace devstack::registry
