#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/async/clock.h"
#include "core/base/persistent_hash.h"
#include "core/base/result.h"
#include "core/registry/command.h"
#include "core/registry/row.h"
#include "core/registry/types.h"

/// The registry's whole content at one index, as an immutable value. Copying is cheap (structure is shared), a write
/// makes a new State at a cost that does not grow with the content, and any thread may read one for as long as it
/// likes. No I/O, no time: `apply` is the pure heart that the tests and the model check.
namespace devstack::registry {

/// Checks by (node, id), both in lower case. Shares structure with earlier and later ones: CheckTable::for_each_change
/// finds what a writer changed at the cost of the change. Holding one holds its checks, nothing else of a State.
using CheckTable = PersistentHash<std::string, CheckPtr>;

class State {
 public:
  State();  ///< empty, index 1
  ~State();
  State(const State&);
  State(State&&) noexcept;
  State& operator=(const State&);
  State& operator=(State&&) noexcept;

  /// The index of the last write in it; never 0.
  [[nodiscard]] Index index() const;
  /// How much is in it; costs nothing.
  struct Counts {
    std::size_t nodes = 0, instances = 0, services = 0, keys = 0;  ///< `services`: names that have an instance
  };
  [[nodiscard]] Counts counts() const;

  // --- Catalog. Node and service names are looked up without case. ---
  [[nodiscard]] NodePtr node(std::string_view name_or_id) const;
  /// The same, or the one node whose id begins so (two digits at least).
  [[nodiscard]] NodePtr node_like(std::string_view name_or_id) const;
  [[nodiscard]] std::vector<NodePtr> nodes() const;                                ///< by name
  [[nodiscard]] std::vector<ServicePtr> services_of(std::string_view node) const;  ///< by service id
  [[nodiscard]] ServicePtr service(std::string_view node, std::string_view service_id) const;
  /// Every service name with the sorted union of its tags, by name. Includes "consul".
  [[nodiscard]] std::vector<std::pair<std::string, std::vector<std::string>>> services() const;
  /// All instances of a name, by node, then id; empty for an unknown name. Cheap enough to call for each DNS query.
  [[nodiscard]] std::vector<Instance> instances(std::string_view service_name) const;
  /// The same without a copy: never null, empty for an unknown name. One lookup and one reference count; made once per
  /// change, by the first reader.
  [[nodiscard]] std::shared_ptr<const std::vector<Instance>> instance_set(std::string_view service_name) const;
  /// True when at least one instance has that name.
  [[nodiscard]] bool has_service(std::string_view service_name) const;

  // --- Checks ---
  [[nodiscard]] CheckPtr check(std::string_view node, std::string_view check_id) const;
  [[nodiscard]] const CheckTable& check_table() const;                              ///< all; valid while this State is
  [[nodiscard]] std::vector<CheckPtr> checks_of_node(std::string_view node) const;  ///< node checks and service checks
  /// Those of one instance alone, by check id; of the node itself for "".
  [[nodiscard]] std::vector<CheckPtr> checks_of_instance(std::string_view node, std::string_view service_id) const;
  [[nodiscard]] std::vector<CheckPtr> checks_of_service(std::string_view service_name) const;
  [[nodiscard]] std::vector<CheckPtr> checks_in_state(std::string_view status) const;  ///< "any" for all

  // --- KV. Keys are bytes, ordered bytewise. ---
  [[nodiscard]] KvPtr kv(std::string_view key) const;
  [[nodiscard]] std::vector<KvPtr> kv_prefix(std::string_view prefix) const;
  /// The highest index below the prefix, deleted keys counted; 0 when nothing is or was there.
  [[nodiscard]] Index kv_prefix_index(std::string_view prefix) const;
  /// Until when `key` may not be locked (a session that held it was invalidated); nothing when it may.
  [[nodiscard]] std::optional<Instant> lock_delayed_until(std::string_view key) const;

  // --- Sessions ---
  [[nodiscard]] SessionPtr session(std::string_view id) const;
  [[nodiscard]] std::vector<SessionPtr> sessions() const;
  [[nodiscard]] std::vector<SessionPtr> sessions_of_node(std::string_view node) const;

  // --- Prepared queries and events ---
  [[nodiscard]] QueryPtr query(std::string_view id) const;
  [[nodiscard]] QueryPtr query_named(std::string_view name) const;
  [[nodiscard]] std::vector<QueryPtr> queries() const;  ///< by id
  [[nodiscard]] std::vector<EventPtr> events() const;   ///< the last 256, oldest first

  // --- What a blocking query reports as X-Consul-Index. ---
  [[nodiscard]] Index index_of(const Watch& watch) const;

  /// The index of the last RestoreCommand; 0 when there was none.
  [[nodiscard]] Index restored_at() const;

  /// Carries out one command. Nothing changes on an error. An idempotent command returns the same index with
  /// `changed` empty: nothing is stored, nobody wakes. `now` is data: lock-delay begins and is compared with it (the
  /// registry passes the monotonic time; without it no lock is ever delayed).
  struct Applied;
  [[nodiscard]] Result<Applied> apply(const Command& command, Instant now = Instant::min()) const;

  /// The state that stored rows describe, in any order; `index` is the least it may have.
  [[nodiscard]] static State restore(const std::vector<Row>& rows, Index index);
  /// What a store holds of it: `restore(rows(), 1)` is the same state, but for events and lock-delays.
  [[nodiscard]] std::vector<Row> rows() const;

 private:
  struct Data;
  class Writer;
  explicit State(std::shared_ptr<const Data> data);
  std::shared_ptr<const Data> data_;
};

struct State::Applied {
  State state;
  CommandResult result;
  /// What to wake: rows of Watch's table as they are; a `kv_key` also stands for every prefix of it, `any` for
  /// everything (see `wakes`).
  std::vector<Watch> changed;
  std::vector<Row> rows;  ///< what to store; empty: the store need not know
};

/// Whether a waiter for `watch` is woken by `changed` (an element of State::Applied::changed). Pure.
[[nodiscard]] bool wakes(const Watch& changed, const Watch& watch);

}  // namespace devstack::registry
