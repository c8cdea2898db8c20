#include <algorithm>
#include <iterator>

#include "core/registry/state_writer.h"

/// Building a state from stored rows, and the rows of a state.
namespace devstack::registry {

namespace {

bool is_name(std::string_view text) { return !text.empty() && text.find(key_separator) == std::string_view::npos; }

}  // namespace

/// Leaves out what no command could have made (a service without its node, a name twice), which a file that was edited
/// or repaired may hold: every reader and writer relies on it.
void State::Writer::load(const Row& row) {
  struct Loader {
    Data& data;

    void operator()(const NodePtr& node) const {
      const auto name = folded(node->name), id = folded(node->id);
      if (!is_name(name) || data.nodes.contains(name)) return;
      data.nodes.set(name, node);
      if (!id.empty() && !data.node_ids.contains(id)) data.node_ids.set(id, name);
    }
    void operator()(const ServicePtr& service) const {
      const auto key = join(folded(service->node), folded(service->id));
      const auto name = folded(service->name);
      const bool whole = is_name(service->id) && is_name(name) && data.nodes.contains(folded(service->node));
      if (!whole || data.services.contains(key)) return;
      data.services.set(key, service);
      const auto* entry = data.names.find(name);
      auto next = entry == nullptr ? std::make_shared<ServiceEntry>() : std::make_shared<ServiceEntry>(**entry);
      next->instances.set(key, service);
      data.names.set(name, next);
      raise_name(name, service->modify_index);
    }
    void operator()(const CheckPtr& check) const {
      const auto node = folded(check->node), id = folded(check->id), service = folded(check->service_id);
      const bool placed = data.nodes.contains(node) && (service.empty() || data.services.contains(join(node, service)));
      if (!placed || id.find(key_separator) != std::string::npos || data.checks.contains(join(node, id))) return;
      data.checks.set(join(node, id), check);
      data.add_check_id(*check);
      if (!service.empty()) raise_name(folded(check->service_name), check->modify_index);
    }
    void operator()(const KvPtr& entry) const {
      if (data.kv_tree.contains(entry->key)) return;
      const auto session = folded(entry->session);
      KvPtr kept = entry;
      if (!session.empty() && !data.sessions.contains(session)) {
        // Nobody is left to release it.
        auto released = std::make_shared<KvEntry>(*entry);
        released->session.clear();
        kept = std::move(released);
      }
      if (!kept->session.empty()) data.session_keys.set(join(session, kept->key), {});
      data.kv.set(kept->key, kept);
      data.kv_tree.set(kept->key, KvSlot{kept, 0});
    }
    void operator()(const SessionPtr& session) const {
      const auto id = folded(session->id), node = folded(session->node);
      if (!is_name(id) || !data.nodes.contains(node) || data.sessions.contains(id)) return;
      data.sessions.set(id, session);
      data.node_sessions.set(join(node, id), {});
      for (const auto* checks : {&session->node_checks, &session->service_checks, &session->checks}) {
        for (const auto& check : *checks) {
          if (is_name(check)) data.check_sessions.set(join(node, folded(check), id), {});
        }
      }
    }
    void operator()(const QueryPtr& query) const {
      const auto id = folded(query->id);
      if (data.queries.contains(id) || data.query_names.contains(folded(query->name))) return;
      data.queries.set(id, query);
      if (!query->name.empty()) data.query_names.set(folded(query->name), id);
    }
    void operator()(const TombstoneRow& row) const {
      if (data.kv_tree.contains(row.key)) return;
      const Index index = std::min(row.index, most_index);
      data.kv_tree.set(row.key, KvSlot{nullptr, index});
      data.tombstones.set({index, row.key}, {});
    }
    void operator()(const IndexRow& row) const {
      const Index index = std::min(row.index, most_index);
      if (row.name == counter_row) data.index = std::max(data.index, index);
      for (const auto& table : table_names) {
        if (row.name == table.name) data.tables.*table.member = index;
      }
      if (!row.name.starts_with(service_row)) return;
      raise_name(row.name.substr(service_row.size()), index);
    }
    void operator()(const ClearRow&) const {}

    /// The index of a name is the highest of its instances, their checks and its own row.
    void raise_name(const std::string& name, Index index) const {
      const auto* entry = data.names.find(name);
      if (entry == nullptr || (*entry)->index >= index) return;
      auto next = std::make_shared<ServiceEntry>(**entry);
      next->index = index;
      data.names.set(name, next);
    }
  };
  std::visit(Loader{data_}, row.value);
}

template <class Kind>
void State::Writer::load_all(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    if (std::holds_alternative<Kind>(row.value)) load(row);
  }
}

void State::Writer::load(const std::vector<Row>& rows) {
  // Each after what it refers to.
  load_all<NodePtr>(rows);
  load_all<ServicePtr>(rows);
  load_all<CheckPtr>(rows);
  load_all<SessionPtr>(rows);
  load_all<QueryPtr>(rows);
  load_all<KvPtr>(rows);
  load_all<TombstoneRow>(rows);
  load_all<IndexRow>(rows);
}

std::shared_ptr<const State::Data> State::Writer::loaded(Index floor) && {
  data_.index = std::max(data_.index, floor);
  return std::make_shared<const Data>(std::move(data_));
}

State State::restore(const std::vector<Row>& rows, Index index) {
  const Data empty;
  Writer writer(empty, Instant::min());
  writer.load(rows);
  return State(std::move(writer).loaded(index));
}

std::vector<Row> State::rows() const {
  std::vector<Row> out;
  const auto put = [&out](auto value) { out.push_back(Row{std::move(value), Row::Kind::put}); };
  data_->nodes.for_each([&](const std::string&, const NodePtr& node) { put(node); });
  data_->services.for_each([&](const std::string&, const ServicePtr& service) { put(service); });
  data_->checks.for_each([&](const std::string&, const CheckPtr& check) { put(check); });
  for (const auto& [key, session] : data_->sessions) put(session);
  for (const auto& [key, query] : data_->queries) put(query);
  for (const auto& [key, slot] : data_->kv_tree) {
    slot.entry ? put(slot.entry) : put(TombstoneRow{key, slot.deleted});
  }
  data_->names.for_each([&](const std::string& name, const auto& entry) {
    put(IndexRow{std::string(service_row) + name, entry->index});
  });
  for (const auto& table : table_names) {
    if (data_->tables.*table.member != 0) put(IndexRow{table.name, data_->tables.*table.member});
  }
  put(IndexRow{std::string(counter_row), data_->index});
  return out;
}

Result<CommandResult> State::Writer::run(const RestoreCommand& command) {
  const Data empty;
  Writer restored(empty, now_);
  restored.load(*command.rows);
  auto events = data_.events;
  const auto event_time = data_.event_time;
  const auto event_index = data_.tables.events;
  data_ = std::move(restored.data_);
  data_.events = std::move(events);
  data_.event_time = event_time;
  index_ = std::max(base_.index, data_.index) + 1;
  data_.tables.events = event_index;
  data_.tables.restored = index_;
  rows_.push_back(Row{ClearRow{}, Row::Kind::put});
  auto stored = State(std::make_shared<const Data>(data_)).rows();
  rows_.insert(rows_.end(), std::make_move_iterator(stored.begin()), std::make_move_iterator(stored.end()));
  mark(Watch::Table::any);
  return CommandResult{};
}

}  // namespace devstack::registry
