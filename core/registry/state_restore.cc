#include <algorithm>
#include <iterator>

#include "core/registry/state_writer.h"

/// Building a state from stored rows, and the rows of a state.
namespace devstack::registry {

void State::Writer::load(const Row& row) {
  struct Loader {
    Data& data;

    void operator()(const NodePtr& node) const {
      data.nodes.set(folded(node->name), node);
      if (!node->id.empty()) data.node_ids.set(folded(node->id), folded(node->name));
    }
    void operator()(const ServicePtr& service) const {
      const auto key = join(folded(service->node), folded(service->id));
      const auto name = folded(service->name);
      data.services.set(key, service);
      const auto* entry = data.names.find(name);
      auto next = entry == nullptr ? std::make_shared<ServiceEntry>() : std::make_shared<ServiceEntry>(**entry);
      next->instances.set(key, service);
      next->index = std::max(next->index, service->modify_index);
      data.names.set(name, next);
    }
    void operator()(const CheckPtr& check) const {
      const auto node = folded(check->node), id = folded(check->id);
      data.checks.set(join(node, id), check);
      data.service_checks.set(join(node, folded(check->service_id), id), {});
    }
    void operator()(const KvPtr& entry) const {
      data.kv.set(entry->key, entry);
      data.kv_tree.set(entry->key, KvSlot{entry, 0});
      if (!entry->session.empty()) data.session_keys.set(join(folded(entry->session), entry->key), {});
    }
    void operator()(const SessionPtr& session) const {
      const auto id = folded(session->id), node = folded(session->node);
      data.sessions.set(id, session);
      data.node_sessions.set(join(node, id), {});
      for (const auto& check : session->node_checks) data.check_sessions.set(join(node, folded(check), id), {});
      for (const auto& check : session->service_checks) data.check_sessions.set(join(node, folded(check), id), {});
    }
    void operator()(const QueryPtr& query) const {
      data.queries.set(folded(query->id), query);
      if (!query->name.empty()) data.query_names.set(query->name, folded(query->id));
    }
    void operator()(const TombstoneRow& row) const {
      data.kv_tree.set(row.key, KvSlot{nullptr, row.index});
      data.tombstones.set({row.index, row.key}, {});
    }
    void operator()(const IndexRow& row) const {
      if (row.name == counter_row) data.index = std::max(data.index, row.index);
      for (const auto& table : table_names) {
        if (row.name == table.name) data.tables.*table.member = row.index;
      }
      if (!row.name.starts_with(service_row)) return;
      const auto name = row.name.substr(service_row.size());
      const auto* entry = data.names.find(name);
      if (entry == nullptr) return;
      auto next = std::make_shared<ServiceEntry>(**entry);
      next->index = std::max(next->index, row.index);
      data.names.set(name, next);
    }
    void operator()(const ClearRow&) const {}
  };
  std::visit(Loader{data_}, row.value);
}

void State::Writer::load(const std::vector<Row>& rows) {
  // Indexes of names need the names to be there.
  const auto is_index = [](const Row& row) { return std::holds_alternative<IndexRow>(row.value); };
  for (const auto& row : rows) {
    if (!is_index(row)) load(row);
  }
  for (const auto& row : rows) {
    if (is_index(row)) load(row);
  }
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
  data_->names.for_each(
      [&](const std::string& name, const auto& entry) { put(IndexRow{std::string(service_row) + name, entry->index}); });
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
