#include <map>
#include <set>

#include "core/api/encode.h"
#include "core/api/handlers.h"
#include "core/api/select.h"

/// GET /v1/internal/ui/*: summaries for a browser.
namespace devstack::api {
namespace {

using registry::CheckPtr;
using registry::Instance;
using Table = Watch::Table;

Index catalog_index(const State& state) {
  return std::max(
      {state.index_of({Table::nodes, ""}), state.index_of({Table::services, ""}), state.index_of({Table::checks, ""})});
}

struct Summary {
  std::string kind;
  std::set<std::string> tags, nodes, sources;
  std::size_t instances = 0;
  std::map<std::string, std::string> checks;  ///< distinct checks of nodes and instances: key, status
};

void add(Summary& summary, const Instance& instance) {
  const auto& service = *instance.service;
  summary.kind = service.kind;
  summary.tags.insert(service.tags.begin(), service.tags.end());
  summary.nodes.insert(instance.node->name);
  if (const auto found = service.meta.find("external-source"); found != service.meta.end()) {
    summary.sources.insert(found->second);
  }
  ++summary.instances;
  for (const auto& check : instance.checks) summary.checks[check->node + '\0' + check->id] = check->status;
}

void write_set(JsonWriter& out, std::string_view name, const std::set<std::string>& set) {
  out.key(name);
  if (set.empty()) {
    out.null();
  } else {
    out.strings(std::vector<std::string>(set.begin(), set.end()));
  }
}

void write_summary(JsonWriter& out, const std::string& name, const Summary& summary, const std::string& datacenter) {
  const auto count = [&](std::string_view status) {
    return static_cast<std::uint64_t>(std::count_if(summary.checks.begin(), summary.checks.end(),
                                                    [&](const auto& check) { return check.second == status; }));
  };
  out.open_object();
  out.field_unless_empty("Kind", summary.kind);
  out.field("Name", name);
  out.field("Datacenter", datacenter);
  write_set(out, "Tags", summary.tags);
  write_set(out, "Nodes", summary.nodes);
  write_set(out, "ExternalSources", summary.sources);
  out.field("InstanceCount", std::uint64_t{summary.instances});
  out.field("ChecksPassing", count(registry::status::passing));
  out.field("ChecksWarning", count(registry::status::warning));
  out.field("ChecksCritical", count(registry::status::critical));
  out.key("GatewayConfig");
  out.raw("{}");
  out.field("TransparentProxy", false);
  out.field("ConnectedWithProxy", false);
  out.field("ConnectedWithGateway", false);
  out.close_object();
}

void write_ui_node(JsonWriter& out, const State& state, const registry::Node& node) {
  out.open_object();
  out.field("ID", node.id);
  out.field("Node", node.name);
  out.field("Address", node.address);
  write_map_or_null(out, "TaggedAddresses", node.tagged_addresses);
  write_map_or_null(out, "Meta", node.meta);
  out.key("Services");
  out.open_array();
  for (const auto& service : state.services_of(node.name)) write_node_service(out, *service, EmptyList::as_null);
  out.close_array();
  auto checks = state.checks_of_node(node.name);
  sort_checks(checks);
  out.key("Checks");
  write_checks(out, checks, EmptyList::as_null);
  out.close_object();
}

}  // namespace

void ui_services(const Call& call, const State& state, Answer& answer) {
  const auto filter = RowFilter::make(call, instance_schema());
  if (!filter) return answer.refuse(filter.error());
  answer.index = catalog_index(state);
  const auto datacenter = call.backend.writer.identity().datacenter;
  // By name as it is written: lookups go by either case, lists tell them apart.
  std::map<std::string, Summary> summaries;
  for (const auto& [name, tags] : state.services()) {
    const auto instances = state.instance_set(name);
    for (const auto& instance : *instances) {
      if (filter->keeps(&instance)) add(summaries[instance.service->name], instance);
    }
  }
  JsonWriter out;
  out.open_array();
  for (const auto& [name, summary] : summaries) write_summary(out, name, summary, datacenter);
  out.close_array();
  answer.body = out.take();
}

void ui_nodes(const Call& call, const State& state, Answer& answer) {
  const auto filter = RowFilter::make(call, node_schema());
  if (!filter) return answer.refuse(filter.error());
  answer.index = catalog_index(state);
  JsonWriter out;
  out.open_array();
  for (const auto& node : state.nodes()) {
    if (filter->keeps(node.get())) write_ui_node(out, state, *node);
  }
  out.close_array();
  answer.body = out.take();
}

void ui_node(const Call& call, const State& state, Answer& answer) {
  if (call.rest.empty()) return answer.refuse(400, "Missing node name");
  answer.index = catalog_index(state);
  const auto node = state.node(call.rest);
  if (node == nullptr) {
    answer.status = 404;
    answer.bare = true;
    answer.content_type = "";
    return;
  }
  JsonWriter out;
  write_ui_node(out, state, *node);
  answer.body = out.take();
}

void ui_empty_list(const Call& call, const State& state, Answer& answer) {
  if (call.rest.empty()) return answer.refuse(400, "Missing gateway name");
  answer.index = catalog_index(state);
  answer.body = "[]";
}

void ui_metrics_proxy(const Call&, const State&, Answer& answer) { answer.refuse(404, "Metrics proxy is not enabled"); }

std::vector<Watch> watch_catalog(const Call&) {
  return {{Table::nodes, ""}, {Table::services, ""}, {Table::checks, ""}};
}

}  // namespace devstack::api
