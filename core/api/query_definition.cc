#include "core/api/query_definition.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>

#include "core/api/select.h"
#include "core/base/duration.h"

namespace devstack::api {
namespace {

constexpr std::string_view kPrefixMatch = "name_prefix_match";

Result<void> read_template(Fields& fields, QueryDefinition& query) {
  const auto* value = fields.find("Template");
  if (value == nullptr) return {};
  Fields inner(*value, "QueryTemplateOptions");
  inner.read("Type", query.template_type);
  inner.read("Regexp", query.template_regexp);
  inner.read("RemoveEmptyTags", query.remove_empty_tags);
  return inner.done(Unknown::refuse);
}

Result<void> read_service(Fields& fields, QueryDefinition& query) {
  const auto* value = fields.find("Service");
  if (value == nullptr) return {};
  Fields inner(*value, "ServiceQuery");
  inner.read("Service", query.service);
  if (const auto* failover = inner.find("Failover")) {
    Fields deeper(*failover, "QueryFailoverOptions");
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

void write_map_or_null(JsonWriter& out, std::string_view name, const registry::StringMap& map) {
  out.key(name);
  if (map.empty()) {
    out.null();
  } else {
    out.strings(map);
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
  write_list_or_null(out, "Tags", query.tags);
  write_map_or_null(out, "NodeMeta", query.node_meta);
  write_map_or_null(out, "ServiceMeta", query.service_meta);
  out.field("Connect", query.connect);
  out.close_object();
  out.key("DNS");
  out.open_object();
  out.field("TTL", query.dns_ttl);
  out.close_object();
}

/// Replaces ${…} marks; unknown ones stay as they are.
class Interpolation {
 public:
  Interpolation(const QueryDefinition& query, std::string_view asked) : asked_(asked), prefix_(query.name) {
    if (query.template_regexp.empty()) return;
    const re2::RE2 regex(query.template_regexp, re2::RE2::Quiet);
    if (!regex.ok()) return;
    std::vector<re2::StringPiece> groups(static_cast<std::size_t>(regex.NumberOfCapturingGroups()) + 1);
    const re2::StringPiece text(asked_.data(), asked_.size());
    if (!regex.Match(text, 0, text.size(), re2::RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size())))
      return;
    for (const auto& group : groups) groups_.emplace_back(group.data() == nullptr ? "" : group.ToString());
  }

  [[nodiscard]] std::string fill(const std::string& text) const {
    std::string out;
    std::size_t at = 0;
    while (true) {
      const std::size_t start = text.find("${", at);
      const std::size_t end = start == std::string::npos ? start : text.find('}', start);
      if (end == std::string::npos) return out.append(text, at, std::string::npos);
      out.append(text, at, start - at);
      const std::string_view mark = std::string_view(text).substr(start + 2, end - start - 2);
      out += value_of(mark);
      at = end + 1;
    }
  }

 private:
  [[nodiscard]] std::string value_of(std::string_view mark) const {
    if (mark == "name.full") return asked_;
    if (mark == "name.prefix") return prefix_;
    if (mark == "name.suffix") return asked_.substr(std::min(prefix_.size(), asked_.size()));
    if (mark == "agent.segment") return "";
    if (mark.starts_with("match(") && mark.ends_with(")")) {
      std::size_t number = 0;
      const auto digits = mark.substr(6, mark.size() - 7);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
      if (error == std::errc() && end == digits.data() + digits.size()) {
        return number < groups_.size() ? groups_[number] : "";
      }
    }
    return "${" + std::string(mark) + "}";
  }

  std::string asked_, prefix_;
  std::vector<std::string> groups_;
};

bool contains(const std::vector<std::string>& list, std::string_view wanted) {
  return std::any_of(list.begin(), list.end(), [&](const auto& item) { return equal_without_case(item, wanted); });
}

bool has_all(const registry::StringMap& map, const registry::StringMap& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& pair) {
    const auto found = map.find(pair.first);
    return found != map.end() && found->second == pair.second;
  });
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
    Fields inner(*dns, "QueryDNSOptions");
    inner.read("TTL", query.dns_ttl);
    CHECK(inner.done(Unknown::refuse));
  }
  fields.skip("CreateIndex");
  fields.skip("ModifyIndex");
  CHECK(fields.done(Unknown::refuse));
  return query;
}

Result<void> validate_query(const QueryDefinition& query) {
  if (query.is_template() && query.template_type != kPrefixMatch) {
    return fail(Errc::failed, "Invalid prepared query: Bad Template.Type '{}'", query.template_type);
  }
  if (!query.template_regexp.empty()) {
    const re2::RE2 regex(query.template_regexp, re2::RE2::Quiet);
    if (!regex.ok()) {
      return fail(Errc::failed, "Invalid prepared query: Bad Regexp '{}': {}", query.template_regexp, regex.error());
    }
  }
  if (query.service.empty()) return fail(Errc::failed, "Invalid prepared query: Must provide a Service name to query");
  if (query.nearest_n < 0)
    return fail(Errc::failed, "Invalid prepared query: Bad NearestN '{}', must be >= 0", query.nearest_n);
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

Result<QueryDefinition> query_from_text(std::string_view text) {
  TRY(const auto value, parse_json(text));
  std::string id;
  return read_query(value, id);
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

QueryDefinition render_query(const QueryDefinition& query, std::string_view asked) {
  QueryDefinition out = query;
  if (!query.is_template()) return out;
  const Interpolation interpolation(query, asked);
  for (auto* text : {&out.service, &out.near, &out.dns_ttl}) *text = interpolation.fill(*text);
  for (auto* list : {&out.tags, &out.datacenters, &out.ignore_check_ids}) {
    for (auto& text : *list) text = interpolation.fill(text);
  }
  for (auto* map : {&out.node_meta, &out.service_meta}) {
    for (auto& [name, text] : *map) text = interpolation.fill(text);
  }
  if (query.remove_empty_tags) std::erase(out.tags, "");
  return out;
}

bool query_takes(const QueryDefinition& query, const registry::Instance& instance) {
  for (const auto& check : instance.checks) {
    if (contains(query.ignore_check_ids, check->id)) continue;
    if (check->status == registry::status::critical) return false;
    if (query.only_passing && check->status != registry::status::passing) return false;
  }
  for (const auto& tag : query.tags) {
    const bool excluded = tag.starts_with('!');
    const std::string_view name = excluded ? std::string_view(tag).substr(1) : std::string_view(tag);
    if (contains(instance.service->tags, name) == excluded) return false;
  }
  return has_all(instance.node->meta, query.node_meta) && has_all(instance.service->meta, query.service_meta);
}

}  // namespace devstack::api
