#include <tuple>

#include "core/registry/state_writer.h"

/// Keys and locks, by the rules of https://developer.hashicorp.com/consul/api-docs/kv.
namespace devstack::registry {
namespace {

using Table = Watch::Table;
constexpr auto longest_lock_delay = std::chrono::seconds(60);

auto content(const KvEntry& e) { return std::tie(e.value, e.flags, e.lock_index, e.session); }

}  // namespace

KvPtr State::Writer::kv(std::string_view key) const {
  const auto* entry = data_.kv.find(key);
  return entry == nullptr ? nullptr : *entry;
}

/// Returns the entry as it then stands: an identical one is left alone.
KvPtr State::Writer::put_kv(KvEntry entry, Lock session) {
  const KvPtr before = kv(entry.key);
  if (session == Lock::keep) entry.session = before == nullptr ? "" : before->session;
  if (before != nullptr && content(entry) == content(*before)) return before;
  entry.create_index = before == nullptr ? index_ : before->create_index;
  entry.modify_index = index_;
  if (before == nullptr) {
    if (const auto* slot = data_.kv_tree.find(entry.key)) take_tombstone(TombstoneRow{entry.key, slot->deleted});
  }
  if (before != nullptr && !before->session.empty()) {
    data_.session_keys.erase(join(folded(before->session), entry.key));
  }
  if (!entry.session.empty()) data_.session_keys.set(join(folded(entry.session), entry.key), {});
  auto stored = std::make_shared<const KvEntry>(std::move(entry));
  data_.kv.set(stored->key, stored);
  data_.kv_tree.set(stored->key, KvSlot{stored, 0});
  data_.tables.kv = index_;
  put_row<KvPtr>(stored);
  mark(Table::kv_key, stored->key);
  return stored;
}

void State::Writer::take_kv(const KvPtr& entry) {
  if (!entry->session.empty()) data_.session_keys.erase(join(folded(entry->session), entry->key));
  data_.kv.erase(entry->key);
  data_.kv_tree.erase(entry->key);
  data_.tables.kv = index_;
  remove_row(entry);
  mark(Table::kv_key, entry->key);
}

void State::Writer::take_tombstone(const TombstoneRow& row) {
  data_.tombstones.erase(std::pair(row.index, row.key));
  data_.kv_tree.erase(row.key);
  remove_row(row);
}

/// `key` has neither an entry nor a tombstone.
void State::Writer::put_tombstone(const std::string& key) {
  data_.kv_tree.set(key, KvSlot{nullptr, index_});
  data_.tombstones.set({index_, key}, {});
  put_row(TombstoneRow{key, index_});
}

void State::Writer::remove_kv(const KvPtr& entry) {
  take_kv(entry);
  put_tombstone(entry->key);
}

/// As in Consul, one tombstone stands for all of them, and none for everything. It also stands for those that are there
/// already: an older one below would let the index of what it alone is left of slide back.
void State::Writer::remove_tree(const std::string& prefix) {
  std::vector<KvPtr> entries;
  std::vector<TombstoneRow> older;
  data_.kv_tree.for_each_in(PrefixRange(prefix), [&](const std::string& key, const KvSlot& slot) {
    slot.entry ? entries.push_back(slot.entry) : older.push_back(TombstoneRow{key, slot.deleted});
  });
  if (entries.empty()) return;
  for (const auto& entry : entries) take_kv(entry);
  for (const auto& tombstone : older) take_tombstone(tombstone);
  if (!prefix.empty()) put_tombstone(prefix);
}

/// 0 stands for "must not exist".
bool State::Writer::cas_matches(std::string_view key, Index cas) const {
  const auto entry = kv(key);
  return cas == (entry == nullptr ? 0 : entry->modify_index);
}

Result<KvPtr> State::Writer::acquire(KvEntry entry) {
  if (entry.session.empty()) return fail(Errc::failed, "missing session");
  const auto* session = data_.sessions.find(folded(entry.session));
  if (session == nullptr) return fail(Errc::failed, "invalid session \"{}\"", entry.session);
  entry.session = (*session)->id;
  const auto before = kv(entry.key);
  if (before != nullptr && !before->session.empty()) {
    if (before->session != entry.session) return KvPtr{};
    entry.lock_index = before->lock_index;
  } else {
    entry.lock_index = before == nullptr ? 1 : before->lock_index + 1;
  }
  return put_kv(std::move(entry), Lock::update);
}

Result<KvPtr> State::Writer::release(KvEntry entry) {
  if (entry.session.empty()) return fail(Errc::failed, "missing session");
  const auto before = kv(entry.key);
  if (before == nullptr || folded(before->session) != folded(entry.session)) return KvPtr{};
  entry.lock_index = before->lock_index;
  entry.session.clear();
  return put_kv(std::move(entry), Lock::update);
}

bool State::Writer::lock_delayed(const std::string& key) const {
  const auto* until = data_.lock_delays.find(key);
  return until != nullptr && *until > now_;
}

void State::Writer::delay_lock(const std::string& key, const Session& session) {
  if (now_ == Instant::min() || session.lock_delay <= std::chrono::nanoseconds(0)) return;
  const auto forget = [this](const std::pair<Instant, std::string>& end) {
    data_.lock_delays.erase(end.second);
    data_.lock_delay_ends.erase(end);
  };
  while (!data_.lock_delay_ends.empty() && data_.lock_delay_ends.begin()->first.first <= now_) {
    forget(std::pair(data_.lock_delay_ends.begin()->first));
  }
  if (const auto* before = data_.lock_delays.find(key)) forget(std::pair(*before, key));
  const auto until = now_ + std::min<std::chrono::nanoseconds>(session.lock_delay, longest_lock_delay);
  data_.lock_delays.set(key, until);
  data_.lock_delay_ends.set({until, key}, {});
}

Result<CommandResult> State::Writer::run(const KvSetCommand& command) {
  KvEntry entry;
  entry.key = command.key;
  entry.value = command.value;
  entry.flags = command.flags;
  CommandResult result;
  const auto whole = [](Error error) { return std::move(error).with_context("raft apply failed"); };
  if (command.only_if_absent && kv(command.key) != nullptr) {
    result.applied = false;
  } else if (command.acquire) {
    if (lock_delayed(command.key)) {
      result.applied = false;
      return result;
    }
    entry.session = *command.acquire;
    TRY(const auto stored, acquire(std::move(entry)).map_error(whole));
    result.applied = stored != nullptr;
  } else if (command.release) {
    entry.session = *command.release;
    TRY(const auto stored, release(std::move(entry)).map_error(whole));
    result.applied = stored != nullptr;
  } else if (command.cas && !cas_matches(command.key, *command.cas)) {
    result.applied = false;
  } else {
    put_kv(std::move(entry), Lock::keep);
  }
  return result;
}

Result<CommandResult> State::Writer::run(const KvDeleteCommand& command) {
  CommandResult result;
  if (command.prefix) {
    remove_tree(command.key);
  } else if (const auto entry = kv(command.key)) {
    result.applied = !command.cas || *command.cas == entry->modify_index;
    if (result.applied) remove_kv(entry);
  }
  return result;
}

Result<CommandResult> State::Writer::run(const ReapTombstonesCommand& command) {
  while (!data_.tombstones.empty()) {
    const auto oldest = data_.tombstones.begin()->first;
    if (oldest.first > command.up_to) break;
    take_tombstone(TombstoneRow{oldest.second, oldest.first});
  }
  return CommandResult{};
}

}  // namespace devstack::registry
