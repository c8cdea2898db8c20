#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/api/decode.h"
#include "core/api/json_writer.h"
#include "core/registry/prepared_query.h"

/// Prepared queries as bodies of requests and answers: reading, checking, writing. What they mean is the registry's
/// (https://developer.hashicorp.com/consul/api-docs/query). Pure. Private to the room.
namespace devstack::api {

using registry::QueryDefinition;

/// A body of POST or PUT, or what was stored. The error is the 400's text; `id` is what the body says, usually "".
Result<QueryDefinition> read_query(const boost::json::value& body, std::string& id);
/// Errors are the 500's text ("Invalid prepared query: …").
Result<void> validate_query(const QueryDefinition& query);
/// A template must be one that can be filled in. Errors: "failed compiling template: …".
Result<void> compile_template(const QueryDefinition& query);

/// What the registry keeps, and reads with registry::read_definition.
std::string query_text(const QueryDefinition& query);

void write_query(JsonWriter& out, const QueryDefinition& query, std::string_view id, registry::Index created,
                 registry::Index modified);

}  // namespace devstack::api
