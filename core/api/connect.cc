#include "core/api/connect.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <tuple>

#include "core/api/select.h"

namespace devstack::api {
namespace {

namespace json = boost::json;

/// A member of a JSON object's text, its name compared as Go does, without case; null when there is none.
json::value member(const std::string& text, std::string_view name) {
  json::error_code error;
  const auto parsed = json::parse(text, error);
  const auto* object = error ? nullptr : parsed.if_object();
  if (object == nullptr) return nullptr;
  for (const auto& field : *object) {
    if (equal_without_case(std::string_view(field.key().data(), field.key().size()), name)) return field.value();
  }
  return nullptr;
}

bool stands_for(const registry::Service& proxy, std::string_view service) {
  if (proxy.kind != "connect-proxy" || proxy.proxy_json.empty()) return false;
  const auto destination = member(proxy.proxy_json, "DestinationServiceName");
  const auto* name = destination.if_string();
  return name != nullptr && equal_without_case(std::string_view(name->data(), name->size()), service);
}

bool is_native(const registry::Service& service) {
  return !service.connect_json.empty() && member(service.connect_json, "Native") == json::value(true);
}

}  // namespace

std::vector<registry::Instance> connect_instances(const registry::State& state, std::string_view service) {
  std::vector<registry::Instance> out;
  for (const auto& [name, tags] : state.services()) {
    const auto instances = state.instance_set(name);
    const bool own = equal_without_case(name, service);
    for (const auto& instance : *instances) {
      if (stands_for(*instance.service, service) || (own && is_native(*instance.service))) out.push_back(instance);
    }
  }
  const auto place = [](const registry::Instance& i) { return std::tie(i.node->name, i.service->id); };
  std::sort(out.begin(), out.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  return out;
}

registry::Index connect_index(const registry::State& state, registry::Watch::Table table, std::string_view service,
                              const std::vector<registry::Instance>& instances) {
  // A proxy that leaves takes the index of its name along: the table of all instances has risen above it then.
  registry::Index index =
      std::max(state.index_of({table, std::string(service)}), state.index_of({registry::Watch::Table::services, ""}));
  for (const auto& instance : instances) index = std::max(index, state.index_of({table, instance.service->name}));
  return index;
}

}  // namespace devstack::api
