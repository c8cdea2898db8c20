#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/persistent_directory.h"
#include "core/base/persistent_hash.h"
#include "core/base/persistent_map.h"
#include "core/registry/state.h"

/// The inside of State: persistent maps and the indexes of the wake-up table. Private to the room.
///
/// Keys of catalog maps are folded (ASCII lower case); compound keys are joined by NUL, which names may not contain and
/// which sorts before every other byte, so that a walk goes by node, then id.
namespace devstack::registry {

inline constexpr char key_separator = '\0';

[[nodiscard]] std::string folded(std::string_view text);
/// "a NUL b"; with an empty `b` it is the prefix of every compound key that starts with `a`. Not folded.
[[nodiscard]] inline std::string join(std::string_view a, std::string_view b) {
  std::string key;
  key.reserve(a.size() + 1 + b.size());
  key.append(a).push_back(key_separator);
  return key.append(b);
}
[[nodiscard]] inline std::string join(std::string_view a, std::string_view b, std::string_view c) {
  return join(join(a, b), c);
}

/// What readers of a service name want, made once from an entry by the first of them.
struct InstanceView {
  std::vector<Instance> instances;
  std::vector<std::string> tags;  ///< sorted union
};

/// One service name. Replaced whenever anything an Instance of it shows has changed, so a view once made stays right.
struct ServiceEntry {
  PersistentMap<std::string, ServicePtr> instances;  ///< by (node, id); never empty
  Index index = 0;
  mutable std::atomic<const InstanceView*> view{nullptr};

  ServiceEntry() = default;
  ServiceEntry(const ServiceEntry& other) : instances(other.instances), index(other.index) {}
  ServiceEntry& operator=(const ServiceEntry&) = delete;
  ~ServiceEntry() { delete view.load(std::memory_order_acquire); }
};

/// A key that exists, or one that did.
struct KvSlot {
  KvPtr entry;
  Index deleted = 0;  ///< when `entry` is null
};
struct HighestIndex {
  using type = Index;
  static type of(const std::string&, const KvSlot& slot) {
    return slot.entry ? slot.entry->modify_index : slot.deleted;
  }
  static type combine(type a, type b) { return a > b ? a : b; }
  static type none() { return 0; }
};

/// Counter values of the last change of each table; `extinction` of the last time a service lost its last instance.
struct TableIndexes {
  Index nodes = 0, services = 0, checks = 0, kv = 0, sessions = 0, queries = 0, events = 0, extinction = 0;
  Index restored = 0;  ///< of the last restore: no index reported is below it
};
struct TableName {
  const char* name;
  Index TableIndexes::*member;
};
inline constexpr TableName table_names[] = {
    {"nodes", &TableIndexes::nodes},       {"services", &TableIndexes::services},
    {"checks", &TableIndexes::checks},     {"kv", &TableIndexes::kv},
    {"sessions", &TableIndexes::sessions}, {"queries", &TableIndexes::queries},
    {"events", &TableIndexes::events},     {"extinction", &TableIndexes::extinction},
    {"restored", &TableIndexes::restored}};
/// The row name of the whole counter, and the prefix of those of service names.
inline constexpr std::string_view counter_row = "index";
inline constexpr std::string_view service_row = "service:";

/// The counter goes on from here: a file that says more is not one of ours, and the next write would begin at 0 again.
inline constexpr Index most_index = Index{1} << 62U;

using KeySet = PersistentMap<std::string, std::monostate>;

struct State::Data {
  Index index = 1;
  TableIndexes tables;

  PersistentDirectory<NodePtr> nodes;                 ///< by name
  PersistentHash<std::string, std::string> node_ids;  ///< id to name
  PersistentDirectory<ServicePtr> services;           ///< by (node, id)
  CheckTable checks;                                  ///< by (node, id)
  PersistentDirectory<KeySet> check_ids;              ///< of those that (node, service id or "") has
  PersistentDirectory<std::shared_ptr<const ServiceEntry>> names;

  PersistentHash<std::string_view, KvPtr> kv;                ///< the keys are the entries' own
  PersistentMap<std::string, KvSlot, HighestIndex> kv_tree;  ///< the same in order, and those that did exist
  PersistentMap<std::pair<Index, std::string>, std::monostate> tombstones;  ///< by age
  PersistentMap<std::string, Instant> lock_delays;
  PersistentMap<std::pair<Instant, std::string>, std::monostate> lock_delay_ends;

  PersistentMap<std::string, SessionPtr> sessions;  ///< by id
  KeySet node_sessions;                             ///< (node, session)
  KeySet check_sessions;                            ///< (node, check, session)
  KeySet session_keys;                              ///< (session, key)

  PersistentMap<std::string, QueryPtr> queries;         ///< by id
  PersistentMap<std::string, std::string> query_names;  ///< folded name to id
  std::shared_ptr<const std::vector<EventPtr>> events;
  std::uint64_t event_time = 0;

  /// The view of an entry of this data, made when it is the first time.
  [[nodiscard]] const InstanceView& view_of(const ServiceEntry& entry) const;
  void add_check_id(const Check& check);
  void remove_check_id(const Check& check);
  /// Calls `visit(check)` for the checks of one (node, service id or ""), by id.
  template <class Visit>
  void for_checks_of(std::string_view owner, const Visit& visit) const {
    if (const auto* ids = check_ids.find(owner)) visit_checks(owner, *ids, visit);
  }
  /// For those of all whose (node, service id) begins so, in the order of these.
  template <class Visit>
  void for_checks_below(std::string_view prefix, const Visit& visit) const {
    check_ids.for_each_in(PrefixRange(prefix),
                          [&](const std::string& owner, const KeySet& ids) { visit_checks(owner, ids, visit); });
  }

 private:
  template <class Visit>
  void visit_checks(std::string_view owner, const KeySet& ids, const Visit& visit) const {
    const auto node = owner.substr(0, owner.find(key_separator));
    for (const auto& id : ids) visit(*checks.find(join(node, id.first)));
  }
};

}  // namespace devstack::registry
