// What a template asks the registry. https://github.com/hashicorp/consul-template/blob/main/docs/templating-language.md
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/base/ascii.h"
#include "core/template/functions.h"

namespace devstack::templates {
namespace {

using registry::Watch;
using Answer = Result<Value>;

/// A question of another datacenter is never answered: there is only one.
bool is_ours(Rendering& r, const std::string& datacenter, std::string_view function, const std::string& argument) {
  if (datacenter.empty() || datacenter == r.inputs.datacenter) return true;
  r.lacks(fmt::format("{} {}", function, quote(argument + "@" + datacenter)));
  return false;
}

struct KeyName {
  std::string key, datacenter;
};

Result<KeyName> parse_key(const Value& value, std::string_view function) {
  static const RE2 form(R"(/?([^@?]*)(?:\?[^@]*)?(?:@([[:word:].\-_]+))?)");
  TRY(const std::string text, text_argument(value));
  KeyName name;
  if (!RE2::FullMatch(text, form, &name.key, &name.datacenter)) {
    return fail(Errc::invalid_argument, "kv.{}: invalid format: {}", function, quote(text));
  }
  return name;
}

/// The entry behind a key, with the watch noted; nothing (and missing) for another datacenter.
registry::KvPtr look_up(Rendering& r, const KeyName& name, std::string_view function) {
  if (!is_ours(r, name.datacenter, function, name.key)) return nullptr;
  r.used.insert({Watch::Table::kv_key, name.key});
  return r.inputs.state->kv(name.key);
}

Answer key(Rendering& r, Arguments args) {
  TRY(const KeyName name, parse_key(args[0], "block"));
  if (name.key.empty()) return Value("");
  if (!is_ours(r, name.datacenter, "key", name.key)) return Value("");
  const auto entry = look_up(r, name, "key");
  if (entry) return Value(entry->value);
  r.lacks(fmt::format("key {}", quote(name.key)));
  return Value("");
}

Answer key_exists(Rendering& r, Arguments args) {
  TRY(const KeyName name, parse_key(args[0], "get"));
  return Value(!name.key.empty() && look_up(r, name, "keyExists") != nullptr);
}

Answer key_or_default(Rendering& r, Arguments args) {
  TRY(const KeyName name, parse_key(args[0], "get"));
  TRY(const std::string otherwise, text_argument(args[1]));
  const auto entry = name.key.empty() ? nullptr : look_up(r, name, "keyOrDefault");
  return Value(entry && !entry->value.empty() ? entry->value : otherwise);
}

Value pair(const registry::KvEntry& entry, const std::string& relative) {
  return Struct{"KeyPair",
                {{"Path", entry.key},
                 {"Key", relative},
                 {"Value", entry.value},
                 {"CreateIndex", entry.create_index},
                 {"ModifyIndex", entry.modify_index},
                 {"LockIndex", entry.lock_index},
                 {"Flags", entry.flags},
                 {"Session", entry.session}}};
}

enum class Depth { one, all };

/// `ls` and `tree`: a plain prefix match, as Consul's, so that "app" finds "apple" too.
Answer pairs(Rendering& r, Arguments args, Depth depth, bool empty_is_missing) {
  TRY(const KeyName name, parse_key(args[0], "list"));
  List list{.items = {}, .element = "*dependency.KeyPair"};
  if (name.key.empty() && !args[0].truth()) return Value(std::move(list));
  if (!is_ours(r, name.datacenter, depth == Depth::one ? "ls" : "tree", name.key)) return Value(std::move(list));
  r.used.insert({Watch::Table::kv_prefix, name.key});
  for (const auto& entry : r.inputs.state->kv_prefix(name.key)) {
    std::string relative = entry->key.substr(name.key.size());
    if (relative.starts_with('/')) relative.erase(0, 1);
    if (relative.empty() || relative.ends_with('/')) continue;
    if (depth == Depth::one && relative.find('/') != std::string::npos) continue;
    list.items.push_back(pair(*entry, relative));
  }
  if (list.items.empty() && empty_is_missing) {
    r.lacks(fmt::format("{} {}", depth == Depth::one ? "safeLs" : "safeTree", quote(name.key)));
  }
  return Value(std::move(list));
}

struct ServiceQuery {
  std::string tag, name, datacenter, near, filter;
};

Result<ServiceQuery> parse_service(Arguments args) {
  static const RE2 form(
      R"((?:([[:word:]=:.\-_]+)\.)?([[:word:]\-_]+)(?:\?[^@~|]*)?(?:@([[:word:].\-_]+))?(?:~([[:word:].\-_]+))?(?:\|(.*))?)");
  std::string text;
  for (const auto& arg : args) {
    TRY(const std::string piece, text_argument(arg));
    text += (text.empty() ? "" : "|") + piece;
  }
  ServiceQuery query;
  if (text.empty()) return query;
  if (!RE2::FullMatch(text, form, &query.tag, &query.name, &query.datacenter, &query.near, &query.filter)) {
    return fail(Errc::invalid_argument, "health.service: invalid format: {}", quote(text));
  }
  return query;
}

Result<std::set<std::string, std::less<>>> parse_filter(std::string_view text) {
  constexpr std::array<std::string_view, 5> known{"any", "passing", "warning", "critical", "maintenance"};
  std::set<std::string, std::less<>> states;
  while (!text.empty()) {
    const auto comma = text.find(',');
    auto word = text.substr(0, comma);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (!word.empty() && std::find(known.begin(), known.end(), word) == known.end()) {
      return fail(Errc::invalid_argument, "health.service: invalid filter: {}", quote(word));
    }
    if (!word.empty()) states.emplace(word);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return states;
}

Value sorted_strings(std::vector<std::string> items) {
  std::sort(items.begin(), items.end());
  return strings(items);
}

Value describe(const registry::Check& check) {
  return Struct{"HealthCheck",
                {{"Node", check.node},
                 {"CheckID", check.id},
                 {"Name", check.name},
                 {"Status", check.status},
                 {"Notes", check.notes},
                 {"Output", check.output},
                 {"ServiceID", check.service_id},
                 {"ServiceName", check.service_name},
                 {"ServiceTags", strings(check.service_tags)}}};
}

Value describe(const registry::Instance& instance) {
  const auto& [node, service, checks] = instance;
  List all{.items = {}, .element = "*api.HealthCheck"};
  for (const auto& check : checks) all.items.push_back(describe(*check));
  Map addresses{.entries = {}, .element = "api.ServiceAddress"};
  for (const auto& [name, address] : service->tagged_addresses) {
    addresses.entries.emplace(name, Struct{"ServiceAddress", {{"Address", address.address}, {"Port", address.port}}});
  }
  const Struct weights{"AgentWeights", {{"Passing", service->weights.passing}, {"Warning", service->weights.warning}}};
  return Struct{"HealthService",
                {{"Node", node->name},
                 {"NodeID", node->id},
                 {"NodeAddress", node->address},
                 {"NodeTaggedAddresses", string_map(node->tagged_addresses)},
                 {"NodeMeta", string_map(node->meta)},
                 {"ServiceMeta", string_map(service->meta)},
                 {"Address", instance.address()},
                 {"ServiceTaggedAddresses", std::move(addresses)},
                 {"ID", service->id},
                 {"Name", service->name},
                 {"Tags", sorted_strings(service->tags)},
                 {"Checks", std::move(all)},
                 {"Status", instance.aggregated_status()},
                 {"Port", service->port},
                 {"Weights", weights}}};
}

bool is_wanted(const registry::Instance& instance, const ServiceQuery& query,
               const std::set<std::string, std::less<>>& states) {
  const auto& tags = instance.service->tags;
  const auto has_tag = [&](const std::string& tag) { return equal_ignoring_case(tag, query.tag); };
  if (!query.tag.empty() && std::none_of(tags.begin(), tags.end(), has_tag)) return false;
  if (states.empty()) return instance.aggregated_status() == registry::status::passing;
  return states.contains("any") || states.contains(instance.aggregated_status());
}

Answer service(Rendering& r, Arguments args) {
  TRY(const ServiceQuery query, parse_service(args));
  TRY(const auto states, parse_filter(query.filter));
  List list{.items = {}, .element = "*dependency.HealthService"};
  if (query.name.empty() || !is_ours(r, query.datacenter, "service", query.name)) return Value(std::move(list));
  r.used.insert({Watch::Table::service, query.name});
  auto instances = r.inputs.state->instances(query.name);
  std::sort(instances.begin(), instances.end(), [](const auto& a, const auto& b) {
    return std::tie(a.node->name, a.service->id) < std::tie(b.node->name, b.service->id);
  });
  for (const auto& instance : instances) {
    if (is_wanted(instance, query, states)) list.items.push_back(describe(instance));
  }
  return Value(std::move(list));
}

/// The datacenter of "@dc" or "name@dc~near"; the name is what stands before.
std::pair<std::string, std::string> cut_datacenter(const std::string& text) {
  const auto near = text.substr(0, text.find('~'));
  const auto at = near.find('@');
  if (at == std::string::npos) return {near, ""};
  return {near.substr(0, at), near.substr(at + 1)};
}

Result<std::pair<std::string, std::string>> optional_name(Arguments args) {
  if (args.empty()) return std::pair<std::string, std::string>();
  TRY(const std::string text, text_argument(args[0]));
  return cut_datacenter(text);
}

Answer services(Rendering& r, Arguments args) {
  TRY(const auto name, optional_name(args));
  List list{.items = {}, .element = "*dependency.CatalogSnippet"};
  if (!is_ours(r, name.second, "services", "")) return Value(std::move(list));
  r.used.insert({Watch::Table::services, ""});
  for (const auto& [service_name, tags] : r.inputs.state->services()) {
    list.items.push_back(Struct{"CatalogSnippet", {{"Name", service_name}, {"Tags", sorted_strings(tags)}}});
  }
  return Value(std::move(list));
}

Value describe(const registry::Node& node) {
  return Struct{"Node",
                {{"ID", node.id},
                 {"Node", node.name},
                 {"Address", node.address},
                 {"Datacenter", node.datacenter},
                 {"TaggedAddresses", string_map(node.tagged_addresses)},
                 {"Meta", string_map(node.meta)}}};
}

Answer nodes(Rendering& r, Arguments args) {
  TRY(const auto name, optional_name(args));
  List list{.items = {}, .element = "*dependency.Node"};
  if (!is_ours(r, name.second, "nodes", "")) return Value(std::move(list));
  r.used.insert({Watch::Table::nodes, ""});
  for (const auto& node : r.inputs.state->nodes()) list.items.push_back(describe(*node));
  return Value(std::move(list));
}

Value node_services(Rendering& r, const std::string& node) {
  auto services = r.inputs.state->services_of(node);
  std::sort(services.begin(), services.end(),
            [](const auto& a, const auto& b) { return std::tie(a->name, a->id) < std::tie(b->name, b->id); });
  List list{.items = {}, .element = "*dependency.CatalogNodeService"};
  for (const auto& service : services) {
    list.items.push_back(Struct{"CatalogNodeService",
                                {{"ID", service->id},
                                 {"Service", service->name},
                                 {"Tags", sorted_strings(service->tags)},
                                 {"Meta", string_map(service->meta)},
                                 {"Port", service->port},
                                 {"Address", service->address},
                                 {"EnableTagOverride", service->enable_tag_override}}});
  }
  return list;
}

Answer node(Rendering& r, Arguments args) {
  TRY(auto name, optional_name(args));
  if (name.first.empty()) name.first = r.inputs.node;
  Struct answer{
      "CatalogNode",
      {{"Node", NilInterface{}}, {"Services", List{.items = {}, .element = "*dependency.CatalogNodeService"}}}};
  if (!is_ours(r, name.second, "node", name.first)) return Value(std::move(answer));
  // Its services may change without the list of service names changing.
  r.used.insert({Watch::Table::any, ""});
  if (const auto found = r.inputs.state->node(name.first)) {
    answer.fields[0].second = describe(*found);
    answer.fields[1].second = node_services(r, found->name);
  }
  return Value(std::move(answer));
}

Answer nothing(Rendering&, Arguments) { return Value(List{}); }

constexpr Function kFunctions[] = {
    {"key", 1, 1, key},
    {"keyExists", 1, 1, key_exists},
    {"keyOrDefault", 2, 2, key_or_default},
    {"ls", 1, 1, [](Rendering& r, Arguments a) { return pairs(r, a, Depth::one, false); }},
    {"tree", 1, 1, [](Rendering& r, Arguments a) { return pairs(r, a, Depth::all, false); }},
    {"safeLs", 1, 1, [](Rendering& r, Arguments a) { return pairs(r, a, Depth::one, true); }},
    {"safeTree", 1, 1, [](Rendering& r, Arguments a) { return pairs(r, a, Depth::all, true); }},
    {"service", 1, -1, service},
    {"services", 0, 1, services},
    {"nodes", 0, 1, nodes},
    {"node", 0, 1, node},
    {"datacenters", 0, 1, [](Rendering& r, Arguments) -> Answer { return strings({r.inputs.datacenter}); }},
    // The mesh, peers and partitions of a Consul with those features off.
    {"connect", 1, -1, nothing},
    {"caRoots", 0, 0, nothing},
    {"partitions", 0, 0, nothing},
    {"peerings", 0, 1, nothing},
};

}  // namespace

std::span<const Function> registry_functions() { return kFunctions; }

}  // namespace devstack::templates
