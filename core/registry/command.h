#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/registry/types.h"

/// Every way to change the registry, as values: what the HTTP API, the registrator, health and the supervisor post, what
/// the write-ahead store keeps, what `State::apply` carries out. The texts of errors are Consul's.
namespace devstack::registry {

/// What a reader waits on. `Table::service` with a name is "this service's instances or their checks".
struct Watch {
  enum class Table { any, nodes, services, service, checks, kv_key, kv_prefix, sessions, queries, events };
  Table table = Table::any;
  std::string key;
  friend auto operator<=>(const Watch&, const Watch&) = default;
};

/// catalog/register and agent registrations: node, and optionally a service and checks, in one transaction.
struct RegisterCommand {
  Node node;
  bool skip_node_update = false;
  std::optional<Service> service;
  std::vector<Check> checks;
  /// An existing check of the same id keeps its status and output (agent re-registration).
  bool keep_check_status = false;
  /// Remove checks of the service that are not in `checks`.
  bool replace_checks = false;
};
/// catalog/deregister: a check, else a service, else the whole node. Unknown things are no error.
struct DeregisterCommand {
  std::string node, service_id, check_id;
};
/// A check's new status and output. Errc::not_found when there is no such check.
struct UpdateCheckCommand {
  std::string node, check_id, status, output;
};
struct KvSetCommand {
  std::string key, value;
  std::uint64_t flags = 0;
  std::optional<Index> cas;
  std::optional<std::string> acquire, release;
  /// Seeding: do nothing when the key exists.
  bool only_if_absent = false;
};
struct KvDeleteCommand {
  std::string key;
  bool prefix = false;  ///< delete the whole tree
  std::optional<Index> cas;
};
struct SessionCreateCommand {
  Session session;  ///< id chosen by the caller (UUID)
};
struct SessionDestroyCommand {
  std::string id;
};

using Command = std::variant<RegisterCommand, DeregisterCommand, UpdateCheckCommand, KvSetCommand, KvDeleteCommand,
                             SessionCreateCommand, SessionDestroyCommand>;

struct CommandResult {
  Index index = 0;      ///< of the state that holds the effect
  bool applied = true;  ///< false: CAS mismatch or a lock not got; not an error
};

}  // namespace devstack::registry
