#include "core/registry/state_writer.h"

namespace devstack::registry {
namespace {

std::vector<std::string> linked_checks(const Session& session) {
  auto checks = session.node_checks;
  checks.insert(checks.end(), session.service_checks.begin(), session.service_checks.end());
  checks.insert(checks.end(), session.checks.begin(), session.checks.end());
  return checks;
}

}  // namespace

Result<CommandResult> State::Writer::run(const SessionCreateCommand& command) {
  auto session = command.session;
  const auto id = folded(session.id), node = folded(session.node);
  if (id.empty()) return fail(Errc::failed, "apply failed: Missing session ID");
  if (data_.sessions.contains(id)) return fail(Errc::conflict, "apply failed: session \"{}\" exists", session.id);
  const auto* registered = data_.nodes.find(node);
  if (registered == nullptr) return fail(Errc::failed, "apply failed: Missing node registration");
  for (const auto& check_id : linked_checks(session)) {
    const auto* check = data_.checks.find(join(node, folded(check_id)));
    if (check == nullptr) return fail(Errc::failed, "apply failed: Missing check '{}' registration", check_id);
    if ((*check)->status == status::critical) {
      return fail(Errc::failed, "apply failed: Check '{}' is in critical state", check_id);
    }
  }
  session.create_index = session.modify_index = index_;
  const auto stored = std::make_shared<const Session>(std::move(session));
  put_row<SessionPtr>(stored);
  load(rows_.back());
  data_.tables.sessions = index_;
  mark(Watch::Table::sessions);
  return CommandResult{};
}

Result<CommandResult> State::Writer::run(const SessionDestroyCommand& command) {
  if (is_outdated(command.as_of_restore)) return CommandResult{};
  if (const auto* session = data_.sessions.find(folded(command.id))) end_session(SessionPtr(*session));
  return CommandResult{};
}

/// Voluntary or not, the end is the same: links, keys with their lock-delay, and queries.
void State::Writer::end_session(const SessionPtr& session) {
  const auto id = folded(session->id), node = folded(session->node);
  data_.sessions.erase(id);
  data_.node_sessions.erase(join(node, id));
  for (const auto& check : linked_checks(*session)) data_.check_sessions.erase(join(node, folded(check), id));
  data_.tables.sessions = index_;
  remove_row(session);
  mark(Watch::Table::sessions);

  const auto prefix = join(id, "");
  std::vector<std::string> keys;
  data_.session_keys.for_each_in(
      PrefixRange(prefix), [&](const std::string& key, std::monostate) { keys.push_back(key.substr(prefix.size())); });
  for (const auto& key : keys) {
    const auto held = kv(key);
    if (session->behavior == Session::Behavior::remove) {
      remove_kv(held);
    } else {
      auto released = *held;
      released.session.clear();
      put_kv(std::move(released), Lock::update);
    }
    delay_lock(key, *session);
  }

  std::vector<QueryPtr> queries;
  for (const auto& [key, query] : data_.queries) {
    if (!query->session.empty() && folded(query->session) == id) queries.push_back(query);
  }
  for (const auto& query : queries) remove_query(query);
}

void State::Writer::end_sessions_of_check(const Check& check) {
  const auto prefix = join(folded(check.node), folded(check.id), "");
  std::vector<SessionPtr> sessions;
  data_.check_sessions.for_each_in(PrefixRange(prefix), [&](const std::string& key, std::monostate) {
    sessions.push_back(*data_.sessions.find(std::string_view(key).substr(prefix.size())));
  });
  for (const auto& session : sessions) end_session(session);
}

}  // namespace devstack::registry
