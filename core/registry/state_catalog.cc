#include <algorithm>
#include <tuple>

#include "core/registry/state_writer.h"

/// Nodes and service instances. What one write moves and whom it wakes is the wake-up table.
namespace devstack::registry {
namespace {

using Table = Watch::Table;
constexpr std::string_view serf_health = "serfhealth";

auto content(const Node& n) { return std::tie(n.id, n.name, n.address, n.datacenter, n.tagged_addresses, n.meta); }
auto content(const Service& s) {
  return std::tie(s.node, s.kind, s.id, s.name, s.tags, s.address, s.tagged_addresses, s.meta, s.port, s.socket_path,
                  s.weights, s.enable_tag_override, s.agent_owned, s.source, s.proxy_json, s.connect_json);
}

bool has_separator(std::string_view text) { return text.find(key_separator) != std::string_view::npos; }

}  // namespace

Result<CommandResult> State::Writer::run(const RegisterCommand& command) {
  if (command.node.name.empty()) return fail(Errc::failed, "Must provide node");
  const auto key = folded(command.node.name);
  if (!data_.nodes.contains(key) || !command.skip_node_update) CHECK(put_node(command.node));
  if (command.service) CHECK(put_service((*data_.nodes.find(key))->name, *command.service));
  CHECK(put_checks(command));
  return CommandResult{};
}

Result<void> State::Writer::claim_node_id(const Node& node) {
  const auto key = folded(node.name), id = folded(node.id);
  const auto* owner = data_.node_ids.find(id);
  const auto* same_name = data_.nodes.find(key);
  if (same_name != nullptr && !(*same_name)->id.empty() && folded((*same_name)->id) != id) {
    const auto* health = data_.checks.find(join(key, serf_health));
    if (health != nullptr && (*health)->status != status::critical) {
      const auto& other = **same_name;
      const auto reserved = fmt::format("Node name {} is reserved by node {} with name {} ({})", node.name, other.id,
                                        other.name, other.address);
      if (owner == nullptr) return fail(Errc::failed, "Error while renaming Node ID: \"{}\": {}", node.id, reserved);
      return fail(Errc::failed, "Error while renaming Node ID: \"{}\" ({}): {}", node.id, node.address, reserved);
    }
  }
  if (owner != nullptr && *owner != key) remove_node(std::string(*owner));
  return {};
}

Result<void> State::Writer::put_node(Node node) {
  if (has_separator(node.name)) return fail(Errc::invalid_argument, "a node name may not contain NUL");
  if (!node.id.empty()) CHECK(claim_node_id(node));
  const auto key = folded(node.name);
  const auto* found = data_.nodes.find(key);
  const NodePtr before = found == nullptr ? nullptr : *found;
  // A catalog registration that leaves the id out means the node of that name, not a node without one.
  if (before != nullptr && node.id.empty()) node.id = before->id;
  if (before != nullptr && content(node) == content(*before)) return {};

  node.create_index = before == nullptr ? index_ : before->create_index;
  node.modify_index = index_;
  if (before != nullptr && !before->id.empty()) data_.node_ids.erase(folded(before->id));
  if (!node.id.empty()) data_.node_ids.set(folded(node.id), key);
  auto stored = std::make_shared<const Node>(std::move(node));
  data_.nodes.set(key, stored);
  data_.tables.nodes = index_;
  put_row<NodePtr>(stored);
  mark(Table::nodes);
  mark(Table::node, key);
  touch_services_of(key, Touch::count, true);
  return {};
}

void State::Writer::remove_node(const std::string& node_key) {
  const NodePtr node = *data_.nodes.find(node_key);
  const auto prefix = join(node_key, "");
  std::vector<std::string> services;
  data_.services.for_each_in(PrefixRange(prefix),
                             [&](const std::string& key, const ServicePtr&) { services.push_back(key); });
  for (const auto& key : services) remove_service(key);
  std::vector<CheckPtr> checks;
  data_.for_checks_below(prefix, [&](const CheckPtr& check) { checks.push_back(check); });
  for (const auto& check : checks) remove_check(check);
  std::vector<SessionPtr> sessions;
  data_.node_sessions.for_each_in(PrefixRange(prefix), [&](const std::string& key, std::monostate) {
    sessions.push_back(*data_.sessions.find(std::string_view(key).substr(prefix.size())));
  });
  for (const auto& session : sessions) end_session(session);

  if (!node->id.empty()) data_.node_ids.erase(folded(node->id));
  data_.nodes.erase(node_key);
  data_.tables.nodes = index_;
  remove_row(node);
  mark(Table::nodes);
  mark(Table::node, node_key);
}

Result<void> State::Writer::put_service(std::string_view node, Service service) {
  if (service.name.empty()) return fail(Errc::failed, "Must provide service name with ID");
  if (service.id.empty()) service.id = service.name;
  if (has_separator(service.id) || has_separator(service.name)) {
    return fail(Errc::invalid_argument, "a service name or id may not contain NUL");
  }
  service.node = node;
  const auto key = join(folded(node), folded(service.id));
  const auto* found = data_.services.find(key);
  const ServicePtr before = found == nullptr ? nullptr : *found;
  if (before != nullptr) {
    // Who registered it is remembered over a registration that does not say.
    service.agent_owned = service.agent_owned || before->agent_owned;
    if (service.source.empty()) service.source = before->source;
    if (content(service) == content(*before)) return {};
  }
  service.create_index = before == nullptr ? index_ : before->create_index;
  service.modify_index = index_;
  const auto stored = std::make_shared<const Service>(std::move(service));
  if (before != nullptr && folded(before->name) != folded(stored->name)) {
    take_instance(before);
    mark_moved_checks(key, {folded(before->name), folded(stored->name)});
  }
  data_.services.set(key, stored);
  place_instance(stored);
  put_row<ServicePtr>(stored);
  return {};
}

/// Adds an instance to its name, or replaces it there.
void State::Writer::place_instance(const ServicePtr& service) {
  const auto name = folded(service->name), node = folded(service->node);
  const auto* entry = data_.names.find(name);
  auto next = entry == nullptr ? std::make_shared<ServiceEntry>() : std::make_shared<ServiceEntry>(**entry);
  next->instances.set(join(node, folded(service->id)), service);
  next->index = index_;
  data_.names.set(name, next);
  data_.tables.services = index_;
  mark(Table::services);
  mark(Table::node, node);
  mark(Table::service, name);
  mark(Table::service_instances, name);
}

/// Takes an instance from its name; the last one takes the name with it.
void State::Writer::take_instance(const ServicePtr& service) {
  const auto name = folded(service->name), node = folded(service->node);
  auto next = std::make_shared<ServiceEntry>(**data_.names.find(name));
  next->instances.erase(join(node, folded(service->id)));
  next->index = index_;
  if (next->instances.empty()) {
    data_.names.erase(name);
    data_.tables.extinction = index_;
  } else {
    data_.names.set(name, next);
  }
  data_.tables.services = index_;
  touched_names_.push_back(name);
  mark(Table::services);
  mark(Table::node, node);
  mark(Table::service, name);
  mark(Table::service_instances, name);
}

void State::Writer::remove_service(const std::string& service_key) {
  const ServicePtr service = *data_.services.find(service_key);
  std::vector<CheckPtr> checks;
  data_.for_checks_of(service_key, [&](const CheckPtr& check) { checks.push_back(check); });
  for (const auto& check : checks) remove_check(check);
  data_.tables.checks = index_;  // also when it had none, as in Consul
  data_.services.erase(service_key);
  take_instance(service);
  remove_row(service);
}

void State::Writer::touch_name(const std::string& name_key, Touch how) {
  const auto* entry = data_.names.find(name_key);
  if (entry == nullptr) return;
  if (how == Touch::count) touched_names_.push_back(name_key);
  if (how != Touch::refresh) mark(Table::service, name_key);
  // Replaced by this very command, and nobody has looked at it.
  if ((*entry)->index == index_ && (*entry)->view.load(std::memory_order_acquire) == nullptr) return;
  auto next = std::make_shared<ServiceEntry>(**entry);
  if (how != Touch::refresh) next->index = index_;
  data_.names.set(name_key, next);
}

/// `edited`: the node itself changed, which readers of plain instances see too.
void State::Writer::touch_services_of(const std::string& node_key, Touch how, bool edited) {
  std::vector<std::string> names;
  data_.services.for_each_in(PrefixRange(join(node_key, "")), [&](const std::string&, const ServicePtr& service) {
    names.push_back(folded(service->name));
  });
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const auto& name : names) {
    touch_name(name, how);
    if (edited) mark(Table::service_instances, name);
  }
}

Result<CommandResult> State::Writer::run(const DeregisterCommand& command) {
  if (command.node.empty()) return fail(Errc::failed, "Must provide node");
  const auto node = folded(command.node);
  if (!command.service_id.empty()) {
    const auto key = join(node, folded(command.service_id));
    if (data_.services.contains(key)) remove_service(key);
  } else if (!command.check_id.empty()) {
    const auto* check = data_.checks.find(join(node, folded(command.check_id)));
    if (check != nullptr) remove_check(CheckPtr(*check));
  } else if (data_.nodes.contains(node)) {
    remove_node(node);
  }
  return CommandResult{};
}

}  // namespace devstack::registry
