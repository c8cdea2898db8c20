#include "core/registry/state.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/registry/state_data.h"

namespace devstack::registry {
namespace {

template <class Pointer, class Map>
std::vector<Pointer> all_of(const Map& map) {
  std::vector<Pointer> out;
  out.reserve(map.size());
  for (const auto& [key, value] : map) out.push_back(value);
  return out;
}

template <class Pointer>
auto collect(std::vector<Pointer>& out) {
  return [&out](const Pointer& value) { out.push_back(value); };
}

template <class Pointer, class Map>
Pointer at(const Map& map, const std::string& key) {
  const auto* found = map.find(key);
  return found == nullptr ? nullptr : *found;
}

std::string_view first_part(std::string_view compound) { return compound.substr(0, compound.find(key_separator)); }

}  // namespace

std::string folded(std::string_view text) { return to_lower(text); }

std::string_view Instance::aggregated_status() const {
  bool warned = false, failed = false;
  for (const auto& check : checks) {
    if (check->id == "_node_maintenance" || check->id.starts_with("_service_maintenance:")) return status::maintenance;
    failed = failed || check->status == status::critical;
    warned = warned || check->status == status::warning;
  }
  return failed ? status::critical : warned ? status::warning : status::passing;
}

State::State() : data_(std::make_shared<const Data>()) {}
State::State(std::shared_ptr<const Data> data) : data_(std::move(data)) {}
State::~State() = default;
State::State(const State&) = default;
State::State(State&&) noexcept = default;
State& State::operator=(const State&) = default;
State& State::operator=(State&&) noexcept = default;

Index State::index() const { return data_->index; }

State::Counts State::counts() const {
  return {data_->nodes.size(), data_->services.size(), data_->names.size(), data_->kv.size()};
}

NodePtr State::node(std::string_view name_or_id) const {
  const auto key = folded(name_or_id);
  if (auto found = at<NodePtr>(data_->nodes, key)) return found;
  const auto* name = data_->node_ids.find(key);
  return name == nullptr ? nullptr : at<NodePtr>(data_->nodes, *name);
}

NodePtr State::node_like(std::string_view name_or_id) const {
  if (auto found = node(name_or_id)) return found;
  // At least two digits of an id; an odd last character is cut off, what is left of the digits must be whole bytes.
  constexpr std::size_t least = 2;
  constexpr std::size_t uuid_characters = 36;
  if (name_or_id.size() < least || name_or_id.size() > uuid_characters) return nullptr;
  const auto digits_of = [](std::string_view id) {
    auto digits = folded(id);
    std::erase(digits, '-');
    return digits;
  };
  const auto prefix = digits_of(name_or_id.substr(0, name_or_id.size() & ~std::size_t{1}));
  if (prefix.size() % 2 != 0 || prefix.find_first_not_of("0123456789abcdef") != std::string::npos) return nullptr;
  NodePtr only;
  for (const auto& node : nodes()) {
    if (node->id.empty() || !digits_of(node->id).starts_with(prefix)) continue;
    if (only != nullptr) return nullptr;
    only = node;
  }
  return only;
}

std::vector<NodePtr> State::nodes() const {
  std::vector<NodePtr> out;
  out.reserve(data_->nodes.size());
  data_->nodes.for_each([&](const std::string&, const NodePtr& node) { out.push_back(node); });
  return out;
}

std::vector<ServicePtr> State::services_of(std::string_view node) const {
  std::vector<ServicePtr> out;
  data_->services.for_each_in(PrefixRange(join(folded(node), "")),
                              [&](const std::string&, const ServicePtr& service) { out.push_back(service); });
  return out;
}

ServicePtr State::service(std::string_view node, std::string_view service_id) const {
  return at<ServicePtr>(data_->services, join(folded(node), folded(service_id)));
}

std::vector<std::pair<std::string, std::vector<std::string>>> State::services() const {
  std::vector<std::pair<std::string, std::vector<std::string>>> out;
  out.reserve(data_->names.size());
  data_->names.for_each([&](const std::string&, const std::shared_ptr<const ServiceEntry>& entry) {
    out.emplace_back(entry->instances.begin()->second->name, data_->view_of(*entry).tags);
  });
  return out;
}

bool State::has_service(std::string_view service_name) const { return data_->names.contains(folded(service_name)); }

std::vector<Instance> State::instances(std::string_view service_name) const { return *instance_set(service_name); }

std::shared_ptr<const std::vector<Instance>> State::instance_set(std::string_view service_name) const {
  static const auto none = std::make_shared<const std::vector<Instance>>();
  const auto* entry = data_->names.find(folded(service_name));
  if (entry == nullptr) return none;
  return {*entry, &data_->view_of(**entry).instances};
}

const InstanceView& State::Data::view_of(const ServiceEntry& entry) const {
  if (const auto* made = entry.view.load(std::memory_order_acquire)) return *made;
  auto view = std::make_unique<InstanceView>();
  view->instances.reserve(entry.instances.size());
  std::string_view node_key;
  NodePtr node;
  std::vector<CheckPtr> node_checks;
  for (const auto& [key, service] : entry.instances) {
    if (const auto name = first_part(key); node == nullptr || name != node_key) {
      node_key = name;
      node = *nodes.find(name);
      node_checks.clear();
      for_checks_of(join(node_key, ""), collect(node_checks));
    }
    auto all = node_checks;
    for_checks_of(key, collect(all));
    view->instances.push_back({node, service, std::move(all)});
    view->tags.insert(view->tags.end(), service->tags.begin(), service->tags.end());
  }
  std::sort(view->tags.begin(), view->tags.end());
  view->tags.erase(std::unique(view->tags.begin(), view->tags.end()), view->tags.end());
  // Two readers may have made it at the same time: the first one's is kept.
  const InstanceView* kept = nullptr;
  if (entry.view.compare_exchange_strong(kept, view.get(), std::memory_order_acq_rel)) return *view.release();
  return *kept;
}

CheckPtr State::check(std::string_view node, std::string_view check_id) const {
  return at<CheckPtr>(data_->checks, join(folded(node), folded(check_id)));
}

const CheckTable& State::check_table() const { return data_->checks; }

std::vector<CheckPtr> State::checks_of_node(std::string_view node) const {
  std::vector<CheckPtr> out;
  data_->for_checks_below(join(folded(node), ""), collect(out));
  return out;
}

std::vector<CheckPtr> State::checks_of_instance(std::string_view node, std::string_view service_id) const {
  std::vector<CheckPtr> out;
  data_->for_checks_of(join(folded(node), folded(service_id)), collect(out));
  return out;
}

std::vector<CheckPtr> State::checks_of_service(std::string_view service_name) const {
  std::vector<CheckPtr> out;
  const auto name = folded(service_name);
  const auto* entry = data_->names.find(name);
  if (entry == nullptr) return out;
  for (const auto& [key, service] : (*entry)->instances) {
    data_->for_checks_of(key, [&](const CheckPtr& check) {
      if (folded(check->service_name) == name) out.push_back(check);
    });
  }
  return out;
}

std::vector<CheckPtr> State::checks_in_state(std::string_view status) const {
  std::vector<CheckPtr> out;
  const auto wanted = folded(status);
  data_->for_checks_below("", [&](const CheckPtr& check) {
    if (status == "any" || folded(check->status) == wanted) out.push_back(check);
  });
  return out;
}

KvPtr State::kv(std::string_view key) const {
  const auto* entry = data_->kv.find(key);
  return entry == nullptr ? nullptr : *entry;
}

std::vector<KvPtr> State::kv_prefix(std::string_view prefix) const {
  // In a large store each entry is a miss of the cache: all are asked for before the first is counted.
  std::vector<const KvPtr*> found;
  data_->kv_tree.for_each_in(PrefixRange(prefix), [&](const std::string&, const KvSlot& slot) {
    if (!slot.entry) return;
    const auto* lines = reinterpret_cast<const char*>(slot.entry.get());
    for (std::size_t at = 0; at < sizeof(KvEntry); at += 64) __builtin_prefetch(lines + at, 1);
    found.push_back(&slot.entry);
  });
  std::vector<KvPtr> out;
  out.reserve(found.size());
  for (const auto* entry : found) {
    __builtin_prefetch((*entry)->key.data());
    __builtin_prefetch((*entry)->value.data());
    out.push_back(*entry);
  }
  return out;
}

Index State::kv_prefix_index(std::string_view prefix) const { return data_->kv_tree.measure(PrefixRange(prefix)); }

std::optional<Instant> State::lock_delayed_until(std::string_view key) const {
  const auto* until = data_->lock_delays.find(key);
  return until == nullptr ? std::nullopt : std::optional(*until);
}

SessionPtr State::session(std::string_view id) const { return at<SessionPtr>(data_->sessions, folded(id)); }

std::vector<SessionPtr> State::sessions() const { return all_of<SessionPtr>(data_->sessions); }

std::vector<SessionPtr> State::sessions_of_node(std::string_view node) const {
  std::vector<SessionPtr> out;
  const auto prefix = join(folded(node), "");
  data_->node_sessions.for_each_in(PrefixRange(prefix), [&](const std::string& key, std::monostate) {
    out.push_back(*data_->sessions.find(std::string_view(key).substr(prefix.size())));
  });
  return out;
}

QueryPtr State::query(std::string_view id) const { return at<QueryPtr>(data_->queries, folded(id)); }

QueryPtr State::query_named(std::string_view name) const {
  const auto* id = data_->query_names.find(folded(name));
  return id == nullptr ? nullptr : at<QueryPtr>(data_->queries, *id);
}

std::vector<QueryPtr> State::queries() const { return all_of<QueryPtr>(data_->queries); }

std::vector<EventPtr> State::events() const { return data_->events ? *data_->events : std::vector<EventPtr>{}; }

}  // namespace devstack::registry
