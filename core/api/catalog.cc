#include <map>

#include "core/api/connect.h"
#include "core/api/encode.h"
#include "core/api/handlers.h"
#include "core/api/select.h"

/// GET /v1/catalog/*. https://developer.hashicorp.com/consul/api-docs/catalog
namespace devstack::api {
namespace {

using registry::Instance;
using registry::NodePtr;
using registry::ServicePtr;
using Table = Watch::Table;

std::string name_in(const Call& call) { return std::string(call.rest); }

/// Names with the union of their tags in the order of first sight, which is what Consul shows.
/// Spellings that differ in case alone are one name to look up, but are listed apart.
std::map<std::string, std::vector<std::string>> tags_by_name(const State& state, const RowFilter& filter,
                                                             const std::vector<std::string_view>& node_meta) {
  std::map<std::string, std::vector<std::string>> out;
  for (auto& [name, tags] : state.services()) {
    const auto instances = state.instance_set(name);
    for (const auto& instance : *instances) {
      if (!has_meta(instance.node->meta, node_meta) || !filter.keeps(&instance)) continue;
      auto& seen = out[instance.service->name];
      for (const auto& tag : instance.service->tags) {
        if (std::find(seen.begin(), seen.end(), tag) == seen.end()) seen.push_back(tag);
      }
    }
  }
  return out;
}

/// Instances of the node's services that the filter keeps; nothing when the answer has been given.
bool node_of_path(const Call& call, const State& state, Answer& answer, NodePtr& node) {
  if (call.rest.empty()) {
    answer.refuse(400, "Missing node name");
    return false;
  }
  node = state.node_like(call.rest);
  answer.index = state.index_of({Table::node, node == nullptr ? std::string(call.rest) : node->name});
  return true;
}

std::vector<ServicePtr> filtered_services(const State& state, const registry::Node& node, const RowFilter& filter) {
  auto services = state.services_of(node.name);
  std::erase_if(services, [&](const ServicePtr& service) { return !filter.keeps(service.get()); });
  return services;
}

void write_service_nodes(const Call& call, const std::vector<Instance>& instances, bool (*wanted)(const Instance&),
                         Answer& answer) {
  const auto filter = RowFilter::make(call, service_node_schema());
  if (!filter) return answer.refuse(filter.error());
  const auto tags = call.query.all("tag");
  const auto node_meta = call.query.all("node-meta");
  std::vector<const Instance*> rows;
  for (const auto& instance : instances) {
    if (!wanted(instance) || !has_tags(*instance.service, tags)) continue;
    if (has_meta(instance.node->meta, node_meta) && filter->keeps(&instance)) rows.push_back(&instance);
  }
  sort_near(rows, near_node(call), [](const Instance* row) -> const std::string& { return row->node->name; });
  JsonWriter out(rows.size() * 640 + 2);
  out.open_array();
  for (const auto* row : rows) write_service_node(out, *row);
  out.close_array();
  answer.body = out.take();
}

}  // namespace

void catalog_datacenters(const Call& call, const State&, Answer& answer) {
  JsonWriter out;
  out.open_array();
  out.string(call.backend.writer.identity().datacenter);
  out.close_array();
  answer.body = out.take();
}

void catalog_nodes(const Call& call, const State& state, Answer& answer) {
  const auto filter = RowFilter::make(call, node_schema());
  if (!filter) return answer.refuse(filter.error());
  const auto node_meta = call.query.all("node-meta");
  auto nodes = state.nodes();
  std::erase_if(nodes,
                [&](const NodePtr& node) { return !has_meta(node->meta, node_meta) || !filter->keeps(node.get()); });
  sort_near(nodes, near_node(call), [](const NodePtr& node) -> const std::string& { return node->name; });
  JsonWriter out(nodes.size() * 320 + 2);
  out.open_array();
  for (const auto& node : nodes) write_node(out, *node);
  out.close_array();
  answer.body = out.take();
  answer.index = state.index_of({Table::nodes, ""});
}

void catalog_services(const Call& call, const State& state, Answer& answer) {
  const auto filter = RowFilter::make(call, service_node_schema());
  if (!filter) return answer.refuse(filter.error());
  const auto node_meta = call.query.all("node-meta");
  JsonWriter out;
  out.open_object();
  for (const auto& [name, tags] : tags_by_name(state, *filter, node_meta)) {
    out.escaped_key(name);
    out.strings(tags);
  }
  out.close_object();
  answer.body = out.take();
  answer.index = state.index_of({Table::services, ""});
  if (!node_meta.empty()) answer.index = std::max(answer.index, state.index_of({Table::nodes, ""}));
}

void catalog_service(const Call& call, const State& state, Answer& answer) {
  if (call.rest.empty()) return answer.refuse(400, "Missing service name");
  write_service_nodes(
      call, *state.instance_set(call.rest), [](const Instance&) { return true; }, answer);
  answer.index = state.index_of({Table::service_instances, name_in(call)});
}

void catalog_connect(const Call& call, const State& state, Answer& answer) {
  if (call.rest.empty()) return answer.refuse(400, "Missing service name");
  const auto instances = connect_instances(state, call.rest);
  write_service_nodes(
      call, instances, [](const Instance&) { return true; }, answer);
  answer.index = connect_index(state, Table::service_instances, call.rest, instances);
}

void catalog_node(const Call& call, const State& state, Answer& answer) {
  NodePtr node;
  if (!node_of_path(call, state, answer, node)) return;
  const auto filter = RowFilter::make(call, node_service_schema());
  if (!filter) return answer.refuse(filter.error());
  if (node == nullptr) {
    answer.body = "null";
    return;
  }
  JsonWriter out;
  out.open_object();
  out.key("Node");
  write_node(out, *node);
  out.key("Services");
  out.open_object();
  for (const auto& service : filtered_services(state, *node, *filter)) {
    out.escaped_key(service->id);
    write_node_service(out, *service);
  }
  out.close_object();
  out.close_object();
  answer.body = out.take();
}

void catalog_node_services(const Call& call, const State& state, Answer& answer) {
  NodePtr node;
  if (!node_of_path(call, state, answer, node)) return;
  const auto filter = RowFilter::make(call, node_service_schema());
  if (!filter) return answer.refuse(filter.error());
  if (node == nullptr) {
    answer.body = R"({"Node":null,"Services":null})";
    return;
  }
  JsonWriter out;
  out.open_object();
  out.key("Node");
  write_node(out, *node);
  out.key("Services");
  out.open_array();
  for (const auto& service : filtered_services(state, *node, *filter)) write_node_service(out, *service);
  out.close_array();
  out.close_object();
  answer.body = out.take();
}

void catalog_gateway_services(const Call& call, const State& state, Answer& answer) {
  if (call.rest.empty()) return answer.refuse(400, "Missing gateway name");
  answer.body = "null";
  answer.index = state.index_of({Table::services, ""});
}

std::vector<Watch> watch_nodes(const Call&) { return {{Table::nodes, ""}}; }

std::vector<Watch> watch_services(const Call& call) {
  std::vector<Watch> watches{{Table::services, ""}};
  if (call.query.has("node-meta")) watches.push_back({Table::nodes, ""});
  return watches;
}

std::vector<Watch> watch_service_instances(const Call& call) { return {{Table::service_instances, name_in(call)}}; }

std::vector<Watch> watch_connect_instances(const Call&) { return {{Table::nodes, ""}, {Table::services, ""}}; }

std::vector<Watch> watch_node(const Call& call) { return {{Table::node, name_in(call)}}; }

}  // namespace devstack::api
