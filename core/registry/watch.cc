#include <algorithm>

#include "core/registry/state_data.h"

/// The wake-up table of blocking queries: https://developer.hashicorp.com/consul/api-docs/features/blocking
namespace devstack::registry {

bool wakes(const Watch& changed, const Watch& watch) {
  using Table = Watch::Table;
  if (watch.table == Table::any || changed.table == Table::any) return true;
  if (watch.table == Table::kv_prefix) return changed.table == Table::kv_key && changed.key.starts_with(watch.key);
  if (changed.table != watch.table) return false;
  return watch.table == Table::kv_key ? changed.key == watch.key : changed.key == folded(watch.key);
}

Index State::index_of(const Watch& watch) const {
  using Table = Watch::Table;
  const auto& tables = data_->tables;
  Index index = 0;
  switch (watch.table) {
    case Table::any:
      index = data_->index;
      break;
    case Table::nodes:
      index = tables.nodes;
      break;
    case Table::services:
      index = tables.services;
      break;
    case Table::checks:
    case Table::node_checks:
    case Table::service_checks:
    case Table::checks_in_state:
      index = tables.checks;
      break;
    case Table::sessions:
      index = tables.sessions;
      break;
    case Table::queries:
      index = tables.queries;
      break;
    case Table::events:
      index = tables.events;
      break;
    case Table::node:
      index = data_->nodes.contains(folded(watch.key)) ? std::max(tables.nodes, tables.services) : 0;
      break;
    case Table::service:
    case Table::service_instances:
      // A name without instances: the last extinction, so that a caller who saw the last instance is released.
      if (const auto* entry = data_->names.find(folded(watch.key))) {
        index = (*entry)->index;
      } else if (tables.extinction != 0) {
        index = tables.extinction;
      } else {
        index = std::max({tables.nodes, tables.services, watch.table == Table::service ? tables.checks : Index{0}});
      }
      break;
    case Table::kv_key: {
      const auto* entry = data_->kv.find(watch.key);
      index = entry != nullptr ? (*entry)->modify_index : tables.kv;
      break;
    }
    case Table::kv_prefix:
      if (!watch.key.empty()) index = data_->kv_tree.measure(PrefixRange(watch.key));
      if (index == 0) index = tables.kv;
      break;
  }
  return std::max<Index>({index, tables.restored, 1});
}

Index State::restored_at() const { return data_->tables.restored; }

}  // namespace devstack::registry
