#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/registry/command.h"
#include "core/registry/types.h"

/// The registry's whole content at one index, as an immutable value. Copying is cheap (structure is shared), a write
/// makes a new State at a cost that does not grow with the content, and any thread may read one for as long as it
/// likes. No I/O, no time: `apply` is the pure heart that the tests and the model check.
namespace devstack::registry {

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

  // --- Catalog. Node and service names are looked up without case. ---
  [[nodiscard]] NodePtr node(std::string_view name_or_id) const;
  [[nodiscard]] std::vector<NodePtr> nodes() const;  ///< by name
  [[nodiscard]] std::vector<ServicePtr> services_of(std::string_view node) const;  ///< by service id
  [[nodiscard]] ServicePtr service(std::string_view node, std::string_view service_id) const;
  /// Every service name with the sorted union of its tags, by name. Includes "consul".
  [[nodiscard]] std::vector<std::pair<std::string, std::vector<std::string>>> services() const;
  /// All instances of a name, by node, then id; empty for an unknown name. Cheap enough to call for each DNS query.
  [[nodiscard]] std::vector<Instance> instances(std::string_view service_name) const;

  // --- Checks ---
  [[nodiscard]] CheckPtr check(std::string_view node, std::string_view check_id) const;
  [[nodiscard]] std::vector<CheckPtr> checks_of_node(std::string_view node) const;  ///< node checks and service checks
  [[nodiscard]] std::vector<CheckPtr> checks_of_service(std::string_view service_name) const;
  [[nodiscard]] std::vector<CheckPtr> checks_in_state(std::string_view status) const;  ///< "any" for all

  // --- KV. Keys are bytes, ordered bytewise. ---
  [[nodiscard]] KvPtr kv(std::string_view key) const;
  [[nodiscard]] std::vector<KvPtr> kv_prefix(std::string_view prefix) const;

  // --- Sessions ---
  [[nodiscard]] SessionPtr session(std::string_view id) const;
  [[nodiscard]] std::vector<SessionPtr> sessions() const;

  // --- What a blocking query reports as X-Consul-Index (spec consul-http.md §2, the wake-up table). ---
  [[nodiscard]] Index index_of(const Watch& watch) const;

  /// Carries out one command. Nothing changes on an error. An idempotent command returns the same index with
  /// `changed` empty: nothing is stored, nobody wakes.
  struct Applied;
  [[nodiscard]] Result<Applied> apply(const Command& command) const;

 private:
  struct Data;
  explicit State(std::shared_ptr<const Data> data);
  std::shared_ptr<const Data> data_;
};

struct State::Applied {
  State state;
  CommandResult result;
  std::vector<Watch> changed;  ///< what to wake
};

}  // namespace devstack::registry
