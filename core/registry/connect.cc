// Who speaks for a service in the mesh.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <tuple>

#include "core/registry/prepared_query.h"
#include "core/registry/state_data.h"

namespace devstack::registry {
namespace {

namespace json = boost::json;

bool equal_folded(std::string_view a, std::string_view b) { return a.size() == b.size() && folded(a) == folded(b); }

/// A member of a JSON object's text, its name compared as Go does, without case; null when there is none.
json::value member(const std::string& text, std::string_view name) {
  json::error_code error;
  const auto parsed = json::parse(text, error);
  const auto* object = error ? nullptr : parsed.if_object();
  if (object == nullptr) return nullptr;
  for (const auto& field : *object) {
    if (equal_folded(std::string_view(field.key().data(), field.key().size()), name)) return field.value();
  }
  return nullptr;
}

bool stands_for(const Service& proxy, std::string_view service) {
  if (proxy.kind != "connect-proxy" || proxy.proxy_json.empty()) return false;
  const auto destination = member(proxy.proxy_json, "DestinationServiceName");
  const auto* name = destination.if_string();
  return name != nullptr && equal_folded(std::string_view(name->data(), name->size()), service);
}

bool is_native(const Service& service) {
  return !service.connect_json.empty() && member(service.connect_json, "Native") == json::value(true);
}

}  // namespace

std::vector<Instance> connect_instances(const State& state, std::string_view service) {
  std::vector<Instance> out;
  for (const auto& [name, tags] : state.services()) {
    const auto instances = state.instance_set(name);
    const bool own = equal_folded(name, service);
    for (const auto& instance : *instances) {
      if (stands_for(*instance.service, service) || (own && is_native(*instance.service))) out.push_back(instance);
    }
  }
  const auto place = [](const Instance& i) { return std::tie(i.node->name, i.service->id); };
  std::sort(out.begin(), out.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  return out;
}

}  // namespace devstack::registry
