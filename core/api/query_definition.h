#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/api/decode.h"
#include "core/api/json_writer.h"
#include "core/registry/types.h"

/// Prepared queries as values: reading, checking, writing, and filling in a template for the name that was asked for
/// (https://developer.hashicorp.com/consul/api-docs/query). Pure. Private to the room.
namespace devstack::api {

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
  registry::StringMap node_meta, service_meta;
  std::string dns_ttl;

  [[nodiscard]] bool is_template() const { return !template_type.empty(); }
};

/// A body of POST or PUT, or what was stored. The error is the 400's text; `id` is what the body says, usually "".
Result<QueryDefinition> read_query(const boost::json::value& body, std::string& id);
/// Errors are the 500's text ("Invalid prepared query: …").
Result<void> validate_query(const QueryDefinition& query);

/// What the registry keeps.
std::string query_text(const QueryDefinition& query);
Result<QueryDefinition> query_from_text(std::string_view text);

void write_query(JsonWriter& out, const QueryDefinition& query, std::string_view id, registry::Index created,
                 registry::Index modified);

/// The query that a template stands for when `asked` was asked: ${name.full}, ${name.prefix}, ${name.suffix},
/// ${match(N)} and ${agent.segment} replaced.
QueryDefinition render_query(const QueryDefinition& query, std::string_view asked);

/// Whether the query wants this instance, health included.
bool query_takes(const QueryDefinition& query, const registry::Instance& instance);

}  // namespace devstack::api
