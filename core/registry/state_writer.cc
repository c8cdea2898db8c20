#include "core/registry/state_writer.h"

#include <algorithm>

#include "core/registry/uuid.h"

namespace devstack::registry {

void State::Writer::mark(Watch::Table table, std::string key) {
  counted_ = true;
  changed_.push_back(Watch{table, std::move(key)});
}

Result<State::Applied> State::apply(const Command& command, Instant now) const {
  Writer writer(*data_, now);
  TRY(auto result, std::visit([&](const auto& kind) { return writer.run(kind); }, command));
  if (!result.errors.empty()) {
    result.index = data_->index;
    return Applied{*this, std::move(result), {}, {}};
  }
  return std::move(writer).finish(std::move(result));
}

State::Applied State::Writer::finish(CommandResult result) && {
  std::sort(changed_.begin(), changed_.end());
  changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
  if (counted_) {
    data_.index = index_;
    for (const auto& table : table_names) {
      if (data_.tables.*table.member != base_.tables.*table.member) {
        put_row(IndexRow{table.name, data_.tables.*table.member});
      }
    }
    std::sort(touched_names_.begin(), touched_names_.end());
    touched_names_.erase(std::unique(touched_names_.begin(), touched_names_.end()), touched_names_.end());
    for (const auto& name : touched_names_) {
      const auto* entry = data_.names.find(name);
      IndexRow row{std::string(service_row) + name, entry == nullptr ? 0 : (*entry)->index};
      entry == nullptr ? remove_row(std::move(row)) : put_row(std::move(row));
    }
    put_row(IndexRow{std::string(counter_row), index_});
  }
  result.index = data_.index;
  return Applied{State(std::make_shared<const Data>(std::move(data_))), std::move(result), std::move(changed_),
                 std::move(rows_)};
}

Result<CommandResult> State::Writer::run(const QuerySetCommand& command) {
  auto query = command.query;
  const auto id = folded(query.id);
  const auto* before = data_.queries.find(id);
  if (before == nullptr && command.mode == QuerySetCommand::Mode::update) {
    return fail(Errc::not_found, "Cannot modify non-existent prepared query: '{}'", query.id);
  }
  if (!query.name.empty()) {
    const auto* owner = data_.query_names.find(folded(query.name));
    if (owner != nullptr && *owner != id) {
      return fail(Errc::failed, "raft apply failed: name '{}' aliases an existing query name", query.name);
    }
  }
  if (!query.session.empty() && !data_.sessions.contains(folded(query.session))) {
    const auto why = uuid_lookup_error(query.session);
    if (!why.empty()) return fail(Errc::failed, "raft apply failed: invalid session: index error: {}", why);
    return fail(Errc::failed, "raft apply failed: invalid session \"{}\"", query.session);
  }
  query.create_index = before == nullptr ? index_ : (*before)->create_index;
  query.modify_index = index_;
  if (before != nullptr) data_.query_names.erase(folded((*before)->name));
  if (!query.name.empty()) data_.query_names.set(folded(query.name), id);
  auto stored = std::make_shared<const PreparedQuery>(std::move(query));
  data_.queries.set(id, stored);
  data_.tables.queries = index_;
  put_row<QueryPtr>(stored);
  mark(Watch::Table::queries);
  return CommandResult{};
}

Result<CommandResult> State::Writer::run(const QueryDeleteCommand& command) {
  const auto* query = data_.queries.find(folded(command.id));
  if (query == nullptr) {
    return fail(Errc::not_found, "Cannot modify non-existent prepared query: '{}'", command.id);
  }
  remove_query(QueryPtr(*query));
  return CommandResult{};
}

void State::Writer::remove_query(const QueryPtr& query) {
  if (!query->name.empty()) data_.query_names.erase(folded(query->name));
  data_.queries.erase(folded(query->id));
  data_.tables.queries = index_;
  remove_row(query);
  mark(Watch::Table::queries);
}

Result<CommandResult> State::Writer::run(const EventFireCommand& command) {
  constexpr std::size_t ring = 256;
  auto event = command.event;
  event.ltime = ++data_.event_time;
  std::vector<EventPtr> events;
  if (data_.events) {
    const auto& old = *data_.events;
    events.assign(old.begin() + (old.size() >= ring ? 1 : 0), old.end());
  }
  events.push_back(std::make_shared<const UserEvent>(std::move(event)));
  data_.events = std::make_shared<const std::vector<EventPtr>>(std::move(events));
  data_.tables.events = index_;
  mark(Watch::Table::events);
  return CommandResult{};
}

}  // namespace devstack::registry
