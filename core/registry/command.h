#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/registry/types.h"

/// Every way to change the registry, as values: what the HTTP API, the registrator, health and the supervisor post,
/// what the write-ahead store keeps, what `State::apply` carries out. The texts of errors are Consul's.
namespace devstack::registry {

/// What a reader waits on: one row of the wake-up table. The rows that name a `key` wake only
/// for it; names of nodes and services and ids compare without case, KV keys bytewise.
struct Watch {
  enum class Table {
    any,                ///< every committed change
    nodes,              ///< catalog/nodes
    services,           ///< catalog/services: any instance added, edited, deleted
    service,            ///< health/service/KEY: its instances, their checks, their nodes and those nodes' checks
    checks,             ///< health/state/any: every check row
    kv_key,             ///< kv/KEY
    kv_prefix,          ///< kv/KEY?recurse and ?keys
    sessions,           ///< session/*
    queries,            ///< query
    events,             ///< event/list
    service_instances,  ///< catalog/service/KEY: as `service`, but not woken by checks (its index moves with them)
    node,               ///< catalog/node/KEY, node-services/KEY: that node or its services
    node_checks,        ///< health/node/KEY: check rows of that node
    service_checks,     ///< health/checks/KEY: check rows of that service's instances
    checks_in_state,    ///< health/state/KEY: check rows that enter, leave or change within that status
  };
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
/// A check's new status and output. Errc::not_found when there is no such check. A new output with the same status is
/// shown from now on, but moves no index, wakes nobody and is not stored (a restart brings the stored output back).
struct UpdateCheckCommand {
  std::string node, check_id, status, output;
  /// What the result is about: a check that is defined otherwise by now is left as it is. Unset: whatever it is.
  std::optional<CheckDefinition> about{};
  /// Decided on a state with this restored_at(): does nothing when another snapshot was restored since. Unset: always.
  std::optional<Index> as_of_restore{};
};
/// Errors are whole, as clients match them: `raft apply failed: invalid session "x"`, `raft apply failed: missing
/// session`. A CAS mismatch, a held lock and lock-delay are no errors but `applied == false`.
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
  bool prefix = false;  ///< delete the whole tree; "" is everything
  std::optional<Index> cas;
};
/// Errors: `apply failed: Missing node registration`, `… Missing check 'x' registration`, `… Check 'x' is in critical
/// state`.
struct SessionCreateCommand {
  Session session;  ///< id chosen by the caller (UUID)
};
/// Ends a session: its keys are released or removed, its queries go, lock-delay begins. Unknown: no error.
struct SessionDestroyCommand {
  std::string id;
  std::optional<Index> as_of_restore{};  ///< as in UpdateCheckCommand
};

/// PUT txn: all or nothing. When an operation fails, nothing is changed and CommandResult has `applied == false` and
/// every failing operation in `errors`; otherwise `results` holds what the operations answer, in order (deletes and
/// the check-* verbs that answer nothing add none; get-tree adds many). A transaction that only reads may be carried
/// out on a snapshot: `snapshot->apply(Command(txn))` changes and stores nothing.
struct TxnKv {
  enum class Verb {
    set,
    cas,
    lock,
    unlock,
    get,
    get_tree,
    check_session,
    check_index,
    check_not_exists,
    remove,
    remove_cas,
    remove_tree
  };
  Verb verb = Verb::set;
  std::string key, value;
  std::uint64_t flags = 0;
  Index index = 0;  ///< for cas, remove_cas, check_index
  std::string session;
};
enum class TxnVerb { get, set, cas, remove, remove_cas };
struct TxnNode {
  TxnVerb verb = TxnVerb::set;
  Node node;  ///< modify_index is the index for cas; an id alone finds the node too
};
struct TxnService {
  TxnVerb verb = TxnVerb::set;
  std::string node;
  Service service;  ///< modify_index is the index for cas
};
struct TxnCheck {
  TxnVerb verb = TxnVerb::set;
  Check check;  ///< modify_index is the index for cas
};
/// An operation that cannot be one, which fails beside the others that do.
struct TxnRefused {
  std::string what;
};
using TxnOp = std::variant<TxnKv, TxnNode, TxnService, TxnCheck, TxnRefused>;
struct TxnCommand {
  std::vector<TxnOp> ops;
};
using TxnResult = std::variant<KvPtr, NodePtr, ServicePtr, CheckPtr>;
struct TxnError {
  std::size_t op_index = 0;
  std::string what;
};

/// Errors: `raft apply failed: name 'x' aliases an existing query name`, `raft apply failed: invalid session "x"`;
/// update of an unknown id: Errc::not_found `Cannot modify non-existent prepared query: 'x'`.
struct QuerySetCommand {
  enum class Mode { create, update };
  PreparedQuery query;  ///< id chosen by the caller (UUID)
  Mode mode = Mode::create;
};
struct QueryDeleteCommand {
  std::string id;
};
/// Adds to the ring of the last 256 events; `ltime` is given here. Events are not stored: a restart forgets them.
struct EventFireCommand {
  UserEvent event;  ///< id chosen by the caller (UUID)
};
/// Forgets tombstones of deleted keys up to an index; the registry does it by itself after 15 minutes.
struct ReapTombstonesCommand {
  Index up_to = 0;
};

struct Row;
/// PUT snapshot: the content becomes what `rows` describe (core/registry/snapshot.h makes them), with the indexes of
/// its entries as they were. The counter goes on above both, and no index reported from then on is below that of the
/// restore, so that every waiter is released and none is left waiting for an index that is past. Events stay,
/// lock-delays end.
struct RestoreCommand {
  std::shared_ptr<const std::vector<Row>> rows;
};

using Command = std::variant<RegisterCommand, DeregisterCommand, UpdateCheckCommand, KvSetCommand, KvDeleteCommand,
                             SessionCreateCommand, SessionDestroyCommand, TxnCommand, QuerySetCommand,
                             QueryDeleteCommand, EventFireCommand, ReapTombstonesCommand, RestoreCommand>;

struct CommandResult {
  Index index = 0;                 ///< of the state that holds the effect
  bool applied = true;             ///< false: CAS mismatch, a lock not got, a failed transaction; not an error
  std::vector<TxnResult> results;  ///< TxnCommand only
  std::vector<TxnError> errors;    ///< TxnCommand only; by op_index
};

}  // namespace devstack::registry
