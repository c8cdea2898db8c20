#include "core/api/query_definition.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <optional>

#include "core/api/definitions.h"
#include "core/api/encode.h"
#include "core/api/go_text.h"
#include "core/base/duration.h"
#include "core/registry/query_template.h"

namespace devstack::api {
namespace {

constexpr std::string_view kPrefixMatch = "name_prefix_match";

Result<void> read_template(Fields& fields, QueryDefinition& query) {
  const auto* value = fields.find("Template");
  if (value == nullptr) return {};
  Fields inner(*value, "QueryTemplateOptions.Template");
  inner.read("Type", query.template_type);
  inner.read("Regexp", query.template_regexp);
  inner.read("RemoveEmptyTags", query.remove_empty_tags);
  return inner.done(Unknown::refuse);
}

Result<void> read_service(Fields& fields, QueryDefinition& query) {
  const auto* value = fields.find("Service");
  if (value == nullptr) return {};
  Fields inner(*value, "ServiceQuery.Service");
  inner.read("Service", query.service);
  if (const auto* failover = inner.find("Failover")) {
    Fields deeper(*failover, "QueryDatacenterOptions.Service.Failover");
    deeper.read("NearestN", query.nearest_n);
    deeper.read("Datacenters", query.datacenters);
    deeper.skip("Targets");
    CHECK(deeper.done(Unknown::refuse));
  }
  inner.read("OnlyPassing", query.only_passing);
  inner.read("IgnoreCheckIDs", query.ignore_check_ids);
  inner.read("Near", query.near);
  inner.read("Tags", query.tags);
  inner.read("NodeMeta", query.node_meta);
  inner.read("ServiceMeta", query.service_meta);
  inner.read("Connect", query.connect);
  inner.skip("SamenessGroup");
  return inner.done(Unknown::refuse);
}

void write_list_or_null(JsonWriter& out, std::string_view name, const std::vector<std::string>& list) {
  out.key(name);
  if (list.empty()) {
    out.null();
  } else {
    out.strings(list);
  }
}

void write_body(JsonWriter& out, const QueryDefinition& query) {
  out.field("Name", query.name);
  out.field("Session", query.session);
  out.field("Token", query.token);
  out.key("Template");
  out.open_object();
  out.field("Type", query.template_type);
  out.field("Regexp", query.template_regexp);
  out.field("RemoveEmptyTags", query.remove_empty_tags);
  out.close_object();
  out.key("Service");
  out.open_object();
  out.field("Service", query.service);
  out.key("Failover");
  out.open_object();
  out.field("NearestN", query.nearest_n);
  write_list_or_null(out, "Datacenters", query.datacenters);
  out.close_object();
  out.field("OnlyPassing", query.only_passing);
  write_list_or_null(out, "IgnoreCheckIDs", query.ignore_check_ids);
  out.field("Near", query.near);
  if (query.tags_as_list) {
    out.field("Tags", query.tags);
  } else {
    write_list_or_null(out, "Tags", query.tags);
  }
  write_map_or_null(out, "NodeMeta", query.node_meta);
  write_map_or_null(out, "ServiceMeta", query.service_meta);
  out.field("Connect", query.connect);
  out.close_object();
  out.key("DNS");
  out.open_object();
  out.field("TTL", query.dns_ttl);
  out.close_object();
}

}  // namespace

Result<QueryDefinition> read_query(const boost::json::value& body, std::string& id) {
  QueryDefinition query;
  Fields fields(body, "PreparedQuery");
  fields.read("ID", id);
  fields.read("Name", query.name);
  fields.read("Session", query.session);
  fields.read("Token", query.token);
  CHECK(read_template(fields, query));
  CHECK(read_service(fields, query));
  if (const auto* dns = fields.find("DNS")) {
    Fields inner(*dns, "QueryDNSOptions.DNS");
    inner.read("TTL", query.dns_ttl);
    CHECK(inner.done(Unknown::refuse));
  }
  fields.skip("CreateIndex");
  fields.skip("ModifyIndex");
  CHECK(fields.done(Unknown::refuse));
  return query;
}

Result<void> validate_query(const QueryDefinition& query) {
  if (query.name.empty() && !query.is_template() && query.session.empty()) {
    return fail(Errc::failed, "Invalid prepared query: Must be bound to a session");
  }
  if (query.service.empty()) return fail(Errc::failed, "Invalid prepared query: Must provide a Service name to query");
  if (query.nearest_n < 0)
    return fail(Errc::failed, "Invalid prepared query: Bad NearestN '{}', must be >= 0", query.nearest_n);
  if (auto meta = validate_meta(query.node_meta, ReservedKeys::allow); !meta) {
    return fail(Errc::failed, "Invalid prepared query: {}", meta.error().message);
  }
  if (query.dns_ttl.empty()) return {};
  const auto ttl = parse_duration(query.dns_ttl);
  if (!ttl) {
    return fail(Errc::failed, "Invalid prepared query: Bad DNS TTL '{}': {}", query.dns_ttl, ttl.error().message);
  }
  if (ttl->count() < 0) return fail(Errc::failed, "Invalid prepared query: DNS TTL '{}', must be >=0", ttl->count());
  return {};
}

std::string query_text(const QueryDefinition& query) {
  JsonWriter out;
  out.open_object();
  write_body(out, query);
  out.close_object();
  return out.take();
}

void write_query(JsonWriter& out, const QueryDefinition& query, std::string_view id, registry::Index created,
                 registry::Index modified) {
  out.open_object();
  out.field("ID", id);
  write_body(out, query);
  out.field("CreateIndex", created);
  out.field("ModifyIndex", modified);
  out.close_object();
}

Result<void> compile_template(const QueryDefinition& query) {
  const auto refuse = [](std::string_view why) { return fail(Errc::failed, "failed compiling template: {}", why); };
  if (!query.is_template()) return {};
  if (query.template_type != kPrefixMatch) return refuse(fmt::format("Bad Template.Type '{}'", query.template_type));
  const registry::Interpolation interpolation(query.name, query.name, query.template_regexp);
  auto copy = query;
  std::optional<Error> unknown;
  CHECK(registry::for_each_text(copy, [&](const std::string& name, std::string& text) -> Result<void> {
    const auto filled = interpolation.fill(text);
    if (filled) return {};
    const auto& error = filled.error();
    if (error.code == Errc::parse) return refuse(fmt::format("Bad format '{}' in {}: {}", text, name, error.message));
    if (!unknown)
      unknown = Error{Errc::failed, fmt::format("Bad evaluation for '{}' in {}: {}", text, name, error.message)};
    return {};
  }));
  const re2::RE2 regex(query.template_regexp, re2::RE2::Quiet);
  if (!regex.ok()) return refuse("Bad Regexp: " + regexp_error(regex));
  if (unknown) return refuse(unknown->message);
  return {};
}

}  // namespace devstack::api
