#include "core/registry/prepared_query.h"

#include <algorithm>
#include <boost/json.hpp>

#include "core/registry/query_template.h"
#include "core/registry/state_data.h"

namespace devstack::registry {
namespace {

namespace json = boost::json;

bool equal_folded(std::string_view a, std::string_view b) { return a.size() == b.size() && folded(a) == folded(b); }

bool contains(const std::vector<std::string>& list, std::string_view wanted) {
  return std::any_of(list.begin(), list.end(), [&](const auto& item) { return equal_folded(item, wanted); });
}

/// Members of a stored definition; one that is absent, null or of another type leaves the default.
class Members {
 public:
  explicit Members(const json::value* value) : object_(value == nullptr ? nullptr : value->if_object()) {}

  [[nodiscard]] const json::value* find(std::string_view name) const {
    return object_ == nullptr ? nullptr : object_->if_contains(json::string_view(name.data(), name.size()));
  }
  void read(std::string_view name, std::string& to) const {
    const auto* value = find(name);
    if (const auto* text = value == nullptr ? nullptr : value->if_string()) to.assign(text->data(), text->size());
  }
  void read(std::string_view name, bool& to) const {
    const auto* value = find(name);
    if (const auto* flag = value == nullptr ? nullptr : value->if_bool()) to = *flag;
  }
  void read(std::string_view name, int& to) const {
    const auto* value = find(name);
    if (const auto* number = value == nullptr ? nullptr : value->if_int64()) to = static_cast<int>(*number);
  }
  void read(std::string_view name, std::vector<std::string>& to) const {
    const auto* value = find(name);
    const auto* array = value == nullptr ? nullptr : value->if_array();
    if (array == nullptr) return;
    for (const auto& item : *array) {
      if (const auto* text = item.if_string()) to.emplace_back(text->data(), text->size());
    }
  }
  void read(std::string_view name, StringMap& to) const {
    const auto* value = find(name);
    const auto* object = value == nullptr ? nullptr : value->if_object();
    if (object == nullptr) return;
    for (const auto& [key, item] : *object) {
      if (const auto* text = item.if_string()) to[std::string(key)] = std::string(text->data(), text->size());
    }
  }

 private:
  const json::object* object_;
};

bool has_all(const StringMap& map, const StringMap& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& pair) {
    const auto found = map.find(pair.first);
    return found != map.end() && found->second == pair.second;
  });
}

}  // namespace

Result<QueryDefinition> read_definition(std::string_view json_text) {
  json::error_code error;
  const auto value = json::parse(json::string_view(json_text.data(), json_text.size()), error);
  if (error || !value.is_object()) return fail(Errc::parse, "a stored prepared query is not readable");
  QueryDefinition query;
  const Members body(&value);
  body.read("Name", query.name);
  body.read("Session", query.session);
  body.read("Token", query.token);
  const Members pattern(body.find("Template"));
  pattern.read("Type", query.template_type);
  pattern.read("Regexp", query.template_regexp);
  pattern.read("RemoveEmptyTags", query.remove_empty_tags);
  const Members service(body.find("Service"));
  service.read("Service", query.service);
  const Members failover(service.find("Failover"));
  failover.read("NearestN", query.nearest_n);
  failover.read("Datacenters", query.datacenters);
  service.read("OnlyPassing", query.only_passing);
  service.read("IgnoreCheckIDs", query.ignore_check_ids);
  service.read("Near", query.near);
  service.read("Tags", query.tags);
  service.read("NodeMeta", query.node_meta);
  service.read("ServiceMeta", query.service_meta);
  service.read("Connect", query.connect);
  Members(body.find("DNS")).read("TTL", query.dns_ttl);
  return query;
}

Result<ResolvedQuery> resolve_query(const State& state, std::string_view asked) {
  if (const auto stored = asked.empty() ? nullptr : state.query(asked)) {
    TRY(auto query, read_definition(stored->definition));
    if (query.is_template())
      return fail(Errc::failed, "prepared query templates can only be resolved up by name, not by ID");
    return ResolvedQuery{stored, std::move(query)};
  }
  QueryPtr best;
  for (const auto& stored : asked.empty() ? std::vector<QueryPtr>() : state.queries()) {
    const auto& name = stored->name;
    if (!name.empty() && equal_folded(name, asked)) {
      best = stored;
      break;
    }
    if (asked.size() < name.size() || !equal_folded(asked.substr(0, name.size()), name)) continue;
    const auto query = read_definition(stored->definition);
    if (!query || !query->is_template()) continue;
    if (best == nullptr || name.size() > best->name.size()) best = stored;
  }
  if (best == nullptr) return fail(Errc::not_found, "Query not found");
  TRY(const auto query, read_definition(best->definition));
  TRY(auto rendered, render_query(query, asked));
  return ResolvedQuery{best, std::move(rendered)};
}

Result<void> for_each_text(QueryDefinition& query,
                           const std::function<Result<void>(const std::string& name, std::string& text)>& visit) {
  const auto list = [&](const char* name, std::vector<std::string>& texts) -> Result<void> {
    for (std::size_t i = 0; i < texts.size(); ++i) CHECK(visit(fmt::format("{}[{}]", name, i), texts[i]));
    return {};
  };
  const auto map = [&](const char* name, StringMap& texts) -> Result<void> {
    for (auto& [key, text] : texts) CHECK(visit(fmt::format("{}[{}]", name, key), text));
    return {};
  };
  CHECK(visit("Service.Service", query.service));
  CHECK(list("Service.Failover.Datacenters", query.datacenters));
  CHECK(list("Service.IgnoreCheckIDs", query.ignore_check_ids));
  CHECK(visit("Service.Near", query.near));
  CHECK(list("Service.Tags", query.tags));
  CHECK(map("Service.NodeMeta", query.node_meta));
  return map("Service.ServiceMeta", query.service_meta);
}

Result<QueryDefinition> render_query(const QueryDefinition& query, std::string_view asked) {
  QueryDefinition out = query;
  if (!query.is_template()) return out;
  const Interpolation interpolation(asked, query.name, query.template_regexp);
  CHECK(for_each_text(out, [&](const std::string&, std::string& text) -> Result<void> {
    TRY(text, interpolation.fill(text));
    return {};
  }));
  if (query.remove_empty_tags) {
    std::erase(out.tags, "");
    out.tags_as_list = true;
  }
  return out;
}

bool query_takes(const QueryDefinition& query, const Instance& instance) {
  for (const auto& check : instance.checks) {
    if (contains(query.ignore_check_ids, check->id)) continue;
    if (check->status == status::critical) return false;
    if (query.only_passing && check->status != status::passing) return false;
  }
  for (const auto& tag : query.tags) {
    const bool excluded = tag.starts_with('!');
    const std::string_view name = excluded ? std::string_view(tag).substr(1) : std::string_view(tag);
    if (contains(instance.service->tags, name) == excluded) return false;
  }
  return has_all(instance.node->meta, query.node_meta) && has_all(instance.service->meta, query.service_meta);
}

std::shared_ptr<const std::vector<Instance>> query_candidates(const State& state, const QueryDefinition& query) {
  if (!query.connect) return state.instance_set(query.service);
  return std::make_shared<const std::vector<Instance>>(connect_instances(state, query.service));
}

std::string query_near(const State& state, const QueryDefinition& query, const QuerySource& source) {
  if (query.near == "_agent") return std::string(source.own_node);
  if (query.near != "_ip") return query.near;
  if (source.address.empty()) return {};
  for (const auto& node : state.nodes()) {
    if (node->address == source.address) return node->name;
  }
  return {};
}

}  // namespace devstack::registry
