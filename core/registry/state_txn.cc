#include "core/registry/state_writer.h"
#include "core/registry/uuid.h"

/// PUT txn: the texts are Consul's, clients match them.
namespace devstack::registry {
namespace {

/// What a transaction answers for a write: the entry without its value.
KvPtr without_value(const KvPtr& entry) {
  auto bare = std::make_shared<KvEntry>(*entry);
  bare->value.clear();
  return bare;
}

bool index_matches(Index expected, const auto* current) {
  return expected == (current == nullptr ? 0 : (*current)->modify_index);
}

std::optional<std::string> failure_of(const Result<void>& result) {
  return result ? std::nullopt : std::optional(result.error().message);
}

}  // namespace

Result<CommandResult> State::Writer::run(const TxnCommand& command) {
  CommandResult out;
  // What is wrong with the operations themselves is told before any is tried.
  for (std::size_t i = 0; i < command.ops.size(); ++i) {
    auto failure = std::visit([&](const auto& op) { return precheck(op); }, command.ops[i]);
    if (failure) out.errors.push_back({i, std::move(*failure)});
  }
  const bool fit = out.errors.empty();
  for (std::size_t i = 0; fit && i < command.ops.size(); ++i) {
    auto failure = std::visit([&](const auto& op) { return carry_out(op, out); }, command.ops[i]);
    if (failure) out.errors.push_back({i, std::move(*failure)});
  }
  if (!out.errors.empty()) {
    out.applied = false;
    out.results.clear();
  }
  return out;
}

State::Writer::Failure State::Writer::precheck(const TxnKv& op) const {
  if (op.key.empty() && op.verb != TxnKv::Verb::remove_tree) return "Must provide key";
  if (op.verb == TxnKv::Verb::lock && lock_delayed(op.key)) {
    return fmt::format("failed to lock key \"{}\" due to lock delay", op.key);
  }
  return std::nullopt;
}

State::Writer::Failure State::Writer::precheck(const TxnNode& op) const {
  if (op.verb == TxnVerb::get) return std::nullopt;
  if (op.node.name.empty()) return "Must provide node";
  const auto wrong = op.node.id.empty() ? "" : uuid_format_error(op.node.id);
  return wrong.empty() ? std::nullopt : Failure("Bad node ID: " + wrong);
}

State::Writer::Failure State::Writer::precheck(const TxnService& op) const {
  const bool nameless = op.verb != TxnVerb::get && !op.service.id.empty() && op.service.name.empty();
  return nameless ? Failure("Must provide service name with ID") : std::nullopt;
}

State::Writer::Failure State::Writer::precheck(const TxnCheck&) const { return std::nullopt; }
State::Writer::Failure State::Writer::precheck(const TxnRefused&) const { return std::nullopt; }

State::Writer::Failure State::Writer::carry_out(const TxnRefused& op, CommandResult&) const { return op.what; }

State::Writer::Failure State::Writer::carry_out(const TxnKv& op, CommandResult& out) {
  using Verb = TxnKv::Verb;
  const auto& key = op.key;
  KvEntry entry;
  entry.key = key;
  entry.value = op.value;
  entry.flags = op.flags;
  entry.session = op.session;
  const auto current = kv(key);
  const auto written = [&](const Result<KvPtr>& stored, std::string_view refusal) -> Failure {
    if (!stored) return stored.error().message;
    if (*stored == nullptr) return std::string(refusal);
    out.results.emplace_back(without_value(*stored));
    return std::nullopt;
  };
  switch (op.verb) {
    case Verb::set:
      return written(put_kv(std::move(entry), Lock::keep), "");
    case Verb::cas:
      if (!cas_matches(key, op.index)) return fmt::format("failed to set key \"{}\", index is stale", key);
      return written(put_kv(std::move(entry), Lock::keep), "");
    case Verb::lock:
      if (const auto wrong = op.session.empty() ? "" : uuid_lookup_error(op.session); !wrong.empty()) {
        return "failed session lookup: index error: " + wrong;
      }
      return written(acquire(std::move(entry)), fmt::format("failed to lock key \"{}\", lock is already held", key));
    case Verb::unlock:
      return written(release(std::move(entry)),
                     fmt::format("failed to unlock key \"{}\", lock isn't held, or is held by another session", key));
    case Verb::get:
      if (current == nullptr) return fmt::format("key \"{}\" doesn't exist", key);
      out.results.emplace_back(current);
      return std::nullopt;
    case Verb::get_tree:
      data_.kv_tree.for_each_in(PrefixRange(key), [&](const std::string&, const KvSlot& slot) {
        if (slot.entry) out.results.emplace_back(slot.entry);
      });
      return std::nullopt;
    case Verb::check_session:
      if (current == nullptr) return fmt::format("failed to check session, key \"{}\" doesn't exist", key);
      if (current->session != op.session) {
        return fmt::format("failed session check for key \"{}\", current session \"{}\" != \"{}\"", key,
                           current->session, op.session);
      }
      out.results.emplace_back(without_value(current));
      return std::nullopt;
    case Verb::check_index:
      if (current == nullptr) return fmt::format("failed to check index, key \"{}\" doesn't exist", key);
      if (current->modify_index != op.index) {
        return fmt::format("failed index check for key \"{}\", current modify index {} != {}", key,
                           current->modify_index, op.index);
      }
      out.results.emplace_back(without_value(current));
      return std::nullopt;
    case Verb::check_not_exists:
      if (current != nullptr) return fmt::format("key \"{}\" exists", key);
      return std::nullopt;
    case Verb::remove:
      if (current != nullptr) remove_kv(current);
      return std::nullopt;
    case Verb::remove_cas:
      if (current == nullptr) return std::nullopt;
      if (current->modify_index != op.index) return fmt::format("failed to delete key \"{}\", index is stale", key);
      remove_kv(current);
      return std::nullopt;
    case Verb::remove_tree:
      remove_tree(key);
      return std::nullopt;
  }
  return "unknown KV verb";
}

State::Writer::Failure State::Writer::carry_out(const TxnNode& op, CommandResult& out) {
  auto key = folded(op.node.name);
  if (op.verb == TxnVerb::get && !op.node.id.empty()) {
    if (const auto wrong = uuid_format_error(op.node.id); !wrong.empty()) {
      return fmt::format("node lookup by ID failed, wrong UUID: {} for '{}'", wrong, op.node.id);
    }
    const auto* by_id = data_.node_ids.find(folded(op.node.id));
    key = by_id == nullptr ? "" : *by_id;
  }
  const auto* current = data_.nodes.find(key);
  switch (op.verb) {
    case TxnVerb::get:
      if (current == nullptr) return fmt::format("node \"{}\" doesn't exist", op.node.name);
      out.results.emplace_back(*current);
      return std::nullopt;
    case TxnVerb::cas:
      if (!index_matches(op.node.modify_index, current)) {
        return fmt::format("failed to set node \"{}\", index is stale", op.node.name);
      }
      [[fallthrough]];
    case TxnVerb::set:
      if (auto failure = failure_of(put_node(op.node))) return failure;
      out.results.emplace_back(*data_.nodes.find(folded(op.node.name)));
      return std::nullopt;
    case TxnVerb::remove_cas:
      if (current == nullptr || (*current)->modify_index != op.node.modify_index) {
        return fmt::format("failed to delete node \"{}\", index is stale", op.node.name);
      }
      [[fallthrough]];
    case TxnVerb::remove:
      if (current != nullptr) remove_node(key);
      return std::nullopt;
  }
  return "unknown node verb";
}

State::Writer::Failure State::Writer::carry_out(const TxnService& op, CommandResult& out) {
  const auto& id = op.service.id.empty() && op.verb != TxnVerb::get ? op.service.name : op.service.id;
  const auto key = join(folded(op.node), folded(id));
  const auto* current = data_.services.find(key);
  switch (op.verb) {
    case TxnVerb::get:
      if (current == nullptr) return fmt::format("service \"{}\" on node \"{}\" doesn't exist", id, op.node);
      out.results.emplace_back(*current);
      return std::nullopt;
    case TxnVerb::cas:
      if (!index_matches(op.service.modify_index, current)) {
        return fmt::format("failed to set service \"{}\" on node \"{}\", index is stale", id, op.node);
      }
      [[fallthrough]];
    case TxnVerb::set: {
      const auto* node = data_.nodes.find(folded(op.node));
      if (node == nullptr) return "Missing node registration";
      if (auto failure = failure_of(put_service((*node)->name, op.service))) return failure;
      out.results.emplace_back(*data_.services.find(key));
      return std::nullopt;
    }
    case TxnVerb::remove_cas:
      if (current == nullptr || (*current)->modify_index != op.service.modify_index) {
        return fmt::format("failed to delete service \"{}\" on node \"{}\", index is stale", id, op.node);
      }
      [[fallthrough]];
    case TxnVerb::remove:
      if (current != nullptr) remove_service(key);
      return std::nullopt;
  }
  return "unknown service verb";
}

State::Writer::Failure State::Writer::carry_out(const TxnCheck& op, CommandResult& out) {
  auto check = op.check;
  if (check.id.empty() && op.verb != TxnVerb::get) check.id = check.name;
  const auto key = join(folded(check.node), folded(check.id));
  const auto* current = data_.checks.find(key);
  switch (op.verb) {
    case TxnVerb::get:
      if (check.id.empty()) return "failed check lookup: index error: object is missing a value for this index";
      if (current == nullptr) return fmt::format("check \"{}\" on node \"{}\" doesn't exist", check.id, check.node);
      out.results.emplace_back(*current);
      return std::nullopt;
    case TxnVerb::cas:
      if (!index_matches(check.modify_index, current)) {
        return fmt::format("failed to set check \"{}\" on node \"{}\", index is stale", check.id, check.node);
      }
      [[fallthrough]];
    case TxnVerb::set:
      if (auto failure = failure_of(put_check(check))) return failure;
      out.results.emplace_back(*data_.checks.find(key));
      return std::nullopt;
    case TxnVerb::remove_cas:
      if (current == nullptr || (*current)->modify_index != check.modify_index) {
        return fmt::format("failed to delete check \"{}\" on node \"{}\", index is stale", check.id, check.node);
      }
      [[fallthrough]];
    case TxnVerb::remove:
      if (current != nullptr) remove_check(CheckPtr(*current));
      return std::nullopt;
  }
  return "unknown check verb";
}

}  // namespace devstack::registry
