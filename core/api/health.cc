#include "core/api/connect.h"
#include "core/api/encode.h"
#include "core/api/handlers.h"
#include "core/api/select.h"

/// GET /v1/health/*. https://developer.hashicorp.com/consul/api-docs/health
namespace devstack::api {
namespace {

using registry::CheckPtr;
using registry::Instance;
using Table = Watch::Table;

std::string name_in(const Call& call) { return std::string(call.rest); }

/// The node's checks and the instance's are all passing (a warning is not).
bool all_passing(const Instance& instance) {
  return std::all_of(instance.checks.begin(), instance.checks.end(),
                     [](const CheckPtr& check) { return check->status == registry::status::passing; });
}

/// Takes out the others; the last one moves up to where one was, as in Consul, whose order tests may rely on.
void keep_passing(std::vector<const Instance*>& rows) {
  for (std::size_t i = 0; i < rows.size();) {
    if (all_passing(*rows[i])) {
      ++i;
      continue;
    }
    rows[i] = rows.back();
    rows.pop_back();
  }
}

void write_instances(const Call& call, const std::vector<Instance>& instances, Answer& answer) {
  if (call.query.begin() == call.query.end()) {
    // The common case, without building a list of what is kept.
    JsonWriter out(instances.size() * 1024 + 2);
    out.open_array();
    for (const auto& instance : instances) write_instance(out, instance);
    out.close_array();
    answer.body = out.take();
    return;
  }
  const auto passing = wants_passing(call.query);
  if (!passing) return answer.refuse(400, passing.error().message);
  const auto filter = RowFilter::make(call, instance_schema());
  if (!filter) return answer.refuse(filter.error());
  const auto tags = call.query.all("tag");
  const auto node_meta = call.query.all("node-meta");
  std::vector<const Instance*> rows;
  for (const auto& instance : instances) {
    if (!has_tags(*instance.service, tags) || !has_meta(instance.node->meta, node_meta)) continue;
    if (filter->keeps(&instance)) rows.push_back(&instance);
  }
  sort_near(rows, near_node(call), [](const Instance* row) -> const std::string& { return row->node->name; });
  if (*passing) keep_passing(rows);
  JsonWriter out(rows.size() * 1024 + 2);
  out.open_array();
  for (const auto* row : rows) write_instance(out, *row);
  out.close_array();
  answer.body = out.take();
}

void write_filtered_checks(const Call& call, const State& state, std::vector<CheckPtr> checks, Answer& answer) {
  const auto filter = RowFilter::make(call, check_schema());
  if (!filter) return answer.refuse(filter.error());
  const auto node_meta = call.query.all("node-meta");
  std::erase_if(checks, [&](const CheckPtr& check) {
    if (!filter->keeps(check.get())) return true;
    if (node_meta.empty()) return false;
    const auto node = state.node(check->node);
    return node == nullptr || !has_meta(node->meta, node_meta);
  });
  sort_checks(checks);
  sort_near(checks, near_node(call), [](const CheckPtr& check) -> const std::string& { return check->node; });
  JsonWriter out(checks.size() * 320 + 2);
  write_checks(out, checks);
  answer.body = out.take();
}

Index newest(const State& state, const std::vector<Watch>& watches) {
  Index index = 1;
  for (const auto& watch : watches) index = std::max(index, state.index_of(watch));
  return index;
}

/// Who selects by the nodes' meta waits for the nodes, too.
std::vector<Watch> with_nodes(const Call& call, Watch watch) {
  std::vector<Watch> watches{std::move(watch)};
  if (call.query.has("node-meta")) watches.push_back({Table::nodes, ""});
  return watches;
}

}  // namespace

void health_service(const Call& call, const State& state, Answer& answer) {
  if (call.rest.empty()) return answer.refuse(400, "Missing service name");
  answer.index = state.index_of({Table::service, name_in(call)});
  write_instances(call, *state.instance_set(call.rest), answer);
}

void health_connect(const Call& call, const State& state, Answer& answer) {
  if (call.rest.empty()) return answer.refuse(400, "Missing service name");
  const auto instances = connect_instances(state, call.rest);
  answer.index = connect_index(state, Table::service, call.rest, instances);
  write_instances(call, instances, answer);
}

void health_ingress(const Call& call, const State& state, Answer& answer) {
  if (call.rest.empty()) return answer.refuse(400, "Missing service name");
  answer.index = state.index_of({Table::services, ""});
  answer.body = "[]";
}

void health_node(const Call& call, const State& state, Answer& answer) {
  if (call.rest.empty()) return answer.refuse(400, "Missing node name");
  answer.index = newest(state, watch_node_checks(call));
  write_filtered_checks(call, state, state.checks_of_node(call.rest), answer);
}

void health_checks(const Call& call, const State& state, Answer& answer) {
  if (call.rest.empty()) return answer.refuse(400, "Missing service name");
  answer.index = newest(state, watch_service_checks(call));
  write_filtered_checks(call, state, state.checks_of_service(call.rest), answer);
}

void health_state(const Call& call, const State& state, Answer& answer) {
  if (call.rest.empty()) return answer.refuse(400, "Missing check state");
  answer.index = newest(state, watch_checks_in_state(call));
  write_filtered_checks(call, state, state.checks_in_state(call.rest), answer);
}

std::vector<Watch> watch_service(const Call& call) { return {{Table::service, name_in(call)}}; }
std::vector<Watch> watch_connect(const Call&) {
  return {{Table::nodes, ""}, {Table::services, ""}, {Table::checks, ""}};
}
std::vector<Watch> watch_node_checks(const Call& call) { return with_nodes(call, {Table::node_checks, name_in(call)}); }
std::vector<Watch> watch_service_checks(const Call& call) {
  return with_nodes(call, {Table::service_checks, name_in(call)});
}

std::vector<Watch> watch_checks_in_state(const Call& call) {
  if (call.rest == "any") return with_nodes(call, {Table::checks, ""});
  return with_nodes(call, {Table::checks_in_state, name_in(call)});
}

}  // namespace devstack::api
