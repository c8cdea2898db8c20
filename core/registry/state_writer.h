#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/registry/state_data.h"

/// One command being carried out: a working copy of the data, and what it changed. Private to the room.
///
/// All changes of one command carry one index, the base's + 1. An error leaves the copy half changed: it is dropped.
/// Files: state_writer.cc (frame), state_catalog.cc, state_checks.cc, state_kv.cc, state_session.cc, state_txn.cc,
/// state_restore.cc.
namespace devstack::registry {

class State::Writer {
 public:
  Writer(const Data& base, Instant now) : base_(base), data_(base), index_(base.index + 1), now_(now) {}

  Result<CommandResult> run(const RegisterCommand& command);
  Result<CommandResult> run(const DeregisterCommand& command);
  Result<CommandResult> run(const UpdateCheckCommand& command);
  Result<CommandResult> run(const KvSetCommand& command);
  Result<CommandResult> run(const KvDeleteCommand& command);
  Result<CommandResult> run(const SessionCreateCommand& command);
  Result<CommandResult> run(const SessionDestroyCommand& command);
  Result<CommandResult> run(const TxnCommand& command);
  Result<CommandResult> run(const QuerySetCommand& command);
  Result<CommandResult> run(const QueryDeleteCommand& command);
  Result<CommandResult> run(const EventFireCommand& command);
  Result<CommandResult> run(const ReapTombstonesCommand& command);
  Result<CommandResult> run(const RestoreCommand& command);

  Applied finish(CommandResult result) &&;

  /// Puts rows of the store into the maps without counting anything as a change (State::restore).
  void load(const std::vector<Row>& rows);
  void load(const Row& row);
  /// All rows of one kind.
  template <class Kind>
  void load_all(const std::vector<Row>& rows);
  std::shared_ptr<const Data> loaded(Index floor) &&;

 private:
  // --- Frame ---
  /// True for a command that was decided on before the last restore.
  bool is_outdated(std::optional<Index> as_of_restore) const {
    return as_of_restore && *as_of_restore != data_.tables.restored;
  }
  void mark(Watch::Table table, std::string key = {});
  template <class Pointer>
  void put_row(const Pointer& value) {
    rows_.push_back(Row{value, Row::Kind::put});
  }
  template <class Pointer>
  void remove_row(const Pointer& value) {
    rows_.push_back(Row{value, Row::Kind::removed});
  }

  // --- Catalog. `*_key` are folded; (node, id) keys are joined. ---
  Result<void> put_node(Node node);
  Result<void> claim_node_id(const Node& node);
  void remove_node(const std::string& node_key);
  Result<void> put_service(std::string_view node, Service service);
  void remove_service(const std::string& service_key);
  void place_instance(const ServicePtr& service);
  void take_instance(const ServicePtr& service);
  /// Something that instances of the name show has changed: `how` says whether it counts; with `stored` it does, and
  /// the row of an instance or check of the name has the index.
  enum class Touch { count, stored, refresh };
  void touch_name(const std::string& name_key, Touch how);
  void touch_services_of(const std::string& node_key, Touch how, bool edited);

  // --- Checks ---
  Result<void> put_check(Check check);
  Result<void> copy_in_service(Check& check) const;
  void store_check(const CheckPtr& check, const CheckPtr& before);
  void remove_check(const CheckPtr& check);
  void mark_moved_checks(const std::string& owner, const std::set<std::string>& names);
  void touch_check(const Check& check, Touch how);
  Result<void> put_checks(const RegisterCommand& command);

  // --- KV ---
  enum class Lock { keep, update };
  KvPtr kv(std::string_view key) const;
  KvPtr put_kv(KvEntry entry, Lock session);
  void take_kv(const KvPtr& entry);
  void take_tombstone(const TombstoneRow& row);
  void put_tombstone(const std::string& key);
  void remove_kv(const KvPtr& entry);
  void remove_tree(const std::string& prefix);
  bool cas_matches(std::string_view key, Index cas) const;
  Result<KvPtr> acquire(KvEntry entry);  ///< null: held by another
  Result<KvPtr> release(KvEntry entry);  ///< null: not held by it
  bool lock_delayed(const std::string& key) const;
  void delay_lock(const std::string& key, const Session& session);

  // --- Sessions, queries ---
  void end_session(const SessionPtr& session);
  void end_sessions_of_check(const Check& check);
  void remove_query(const QueryPtr& query);

  // --- Transactions: nothing, or what failed ---
  using Failure = std::optional<std::string>;
  Failure carry_out(const TxnKv& op, CommandResult& out);
  Failure carry_out(const TxnNode& op, CommandResult& out);
  Failure carry_out(const TxnService& op, CommandResult& out);
  Failure carry_out(const TxnCheck& op, CommandResult& out);
  Failure carry_out(const TxnRefused& op, CommandResult& out) const;
  Failure precheck(const TxnKv& op) const;
  Failure precheck(const TxnNode& op) const;
  Failure precheck(const TxnService& op) const;
  Failure precheck(const TxnCheck& op) const;
  Failure precheck(const TxnRefused& op) const;

  const Data& base_;
  Data data_;
  Index index_;
  Instant now_;
  bool counted_ = false;  ///< something moved the index
  std::vector<Watch> changed_;
  std::vector<Row> rows_;
  /// Service names whose index moved to where no row of theirs shows it (see Loader), so that it needs one of its own.
  std::vector<std::string> touched_names_;
};

}  // namespace devstack::registry
