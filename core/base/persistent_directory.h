#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/base/persistent_hash.h"
#include "core/base/persistent_map.h"

/// Values by text: found by hash, walked in the order of their keys (bytewise). The order is kept apart from the
/// values, so that a new value for a key that is there, the common change, touches the hash alone. Copies share
/// structure; threads as in PersistentMap.
namespace devstack {

template <class Value>
class PersistentDirectory {
 public:
  [[nodiscard]] std::size_t size() const { return values_.size(); }
  [[nodiscard]] bool empty() const { return values_.empty(); }

  /// Null when absent.
  [[nodiscard]] const Value* find(std::string_view key) const { return values_.find(key); }
  [[nodiscard]] bool contains(std::string_view key) const { return values_.contains(key); }

  /// Inserts or replaces.
  void set(const std::string& key, Value value) {
    if (values_.set(key, std::move(value))) order_.set(key, {});
  }
  /// False when it was not there.
  bool erase(std::string_view key) {
    if (!values_.erase(key)) return false;
    order_.erase(key);
    return true;
  }

  /// Calls `visit(key, value)` for the entries of a range (see PersistentMap), in order.
  template <class Where, class Visit>
  void for_each_in(const Where& where, const Visit& visit) const {
    order_.for_each_in(where, [&](const std::string& key, std::monostate) { return visit(key, *values_.find(key)); });
  }
  /// For all of them, in order.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for_each_in([](std::string_view) { return 0; }, visit);
  }

 private:
  PersistentHash<std::string, Value> values_;
  PersistentMap<std::string, std::monostate> order_;
};

}  // namespace devstack
