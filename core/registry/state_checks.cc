#include <set>
#include <tuple>

#include "core/registry/state_writer.h"

namespace devstack::registry {
namespace {

using Table = Watch::Table;

auto content(const Check& c) {
  return std::tie(c.node, c.id, c.name, c.status, c.notes, c.output, c.service_id, c.service_name, c.service_tags,
                  c.type, c.interval, c.timeout, c.agent_owned, c.definition);
}

std::string key_of(const Check& check) { return join(folded(check.node), folded(check.id)); }
std::string owner_of(const Check& check) { return join(folded(check.node), folded(check.service_id)); }

}  // namespace

void State::Data::add_check_id(const Check& check) {
  const auto owner = owner_of(check);
  const auto* found = check_ids.find(owner);
  auto ids = found == nullptr ? KeySet() : *found;
  ids.set(folded(check.id), {});
  check_ids.set(owner, std::move(ids));
}

void State::Data::remove_check_id(const Check& check) {
  const auto owner = owner_of(check);
  const auto* found = check_ids.find(owner);
  if (found == nullptr) return;
  auto ids = *found;
  ids.erase(folded(check.id));
  if (ids.empty()) {
    check_ids.erase(owner);
  } else {
    check_ids.set(owner, std::move(ids));
  }
}

Result<void> State::Writer::put_checks(const RegisterCommand& command) {
  const std::string node = (*data_.nodes.find(folded(command.node.name)))->name;
  std::set<std::string> kept;
  for (auto check : command.checks) {
    if (check.node.empty()) check.node = node;
    if (folded(check.node) != folded(node)) {
      return fail(Errc::failed, "check node \"{}\" does not match node \"{}\"", check.node, node);
    }
    check.node = node;
    if (check.id.empty()) check.id = check.name;
    kept.insert(folded(check.id));
    if (const auto* before = data_.checks.find(key_of(check)); command.keep_check_status && before != nullptr) {
      check.status = (*before)->status;
      check.output = (*before)->output;
    }
    CHECK(put_check(std::move(check)).map_error([&](Error error) {
      return Error{error.code, fmt::format("failed inserting check: {} on node \"{}\"", error.message, node)};
    }));
  }
  if (!command.replace_checks || !command.service) return {};
  const auto& service = *command.service;
  const auto owner = join(folded(node), folded(service.id.empty() ? service.name : service.id));
  std::vector<CheckPtr> stale;
  data_.for_checks_of(owner, [&](const CheckPtr& check) {
    if (!kept.contains(folded(check->id))) stale.push_back(check);
  });
  for (const auto& check : stale) remove_check(check);
  return {};
}

/// A check shows the name and tags that its service has when the check is stored: it does not follow them.
Result<void> State::Writer::copy_in_service(Check& check) const {
  check.service_name.clear();
  check.service_tags.clear();
  if (check.service_id.empty()) return {};
  const auto* service = data_.services.find(owner_of(check));
  if (service == nullptr) return fail(Errc::failed, "Missing service registration");
  check.service_id = (*service)->id;
  check.service_name = (*service)->name;
  check.service_tags = (*service)->tags;
  return {};
}

Result<void> State::Writer::put_check(Check check) {
  if (check.id.find(key_separator) != std::string::npos) {
    return fail(Errc::invalid_argument, "a check id may not contain NUL");
  }
  if (check.id.empty()) {
    return fail(Errc::failed, "failed health check lookup: index error: object is missing a value for this index");
  }
  const auto* node = data_.nodes.find(folded(check.node));
  if (node == nullptr) {
    return fail(Errc::failed, "Missing node registration");
  }
  check.node = (*node)->name;
  if (check.status.empty()) check.status = status::critical;
  CHECK(copy_in_service(check));
  const auto* found = data_.checks.find(key_of(check));
  const CheckPtr before = found == nullptr ? nullptr : *found;
  if (before != nullptr) {
    check.agent_owned = check.agent_owned || before->agent_owned;
    if (content(check) == content(*before)) return {};
  }
  check.create_index = before == nullptr ? index_ : before->create_index;
  check.modify_index = index_;
  store_check(std::make_shared<const Check>(std::move(check)), before);
  return {};
}

void State::Writer::store_check(const CheckPtr& check, const CheckPtr& before) {
  if (before != nullptr) {
    // It moved to another instance (or between node and instance): those who showed it must see it go.
    if (folded(before->service_id) != folded(check->service_id)) {
      data_.remove_check_id(*before);
      touch_check(*before, Touch::count);
    }
    if (before->status != check->status) mark(Table::checks_in_state, before->status);
  }
  data_.checks.set(key_of(*check), check);
  if (before == nullptr || before->service_id != check->service_id) data_.add_check_id(*check);
  data_.tables.checks = index_;
  put_row<CheckPtr>(check);
  touch_check(*check, Touch::stored);
  if (check->status == status::critical) end_sessions_of_check(*check);
}

void State::Writer::remove_check(const CheckPtr& check) {
  data_.checks.erase(key_of(*check));
  data_.remove_check_id(*check);
  data_.tables.checks = index_;
  remove_row(check);
  touch_check(*check, Touch::count);
  end_sessions_of_check(*check);
}

/// Moves and wakes what shows this check: its service, whose name may be another by now, or every service of its node.
void State::Writer::touch_check(const Check& check, Touch how) {
  const auto* service = check.service_id.empty() ? nullptr : data_.services.find(owner_of(check));
  const auto name = service == nullptr ? std::string() : folded((*service)->name);
  if (how != Touch::refresh) {
    mark(Table::checks);
    mark(Table::node_checks, folded(check.node));
    mark(Table::checks_in_state, check.status);
    if (service != nullptr && folded(check.service_name) == name) mark(Table::service_checks, name);
  }
  if (check.service_id.empty()) {
    touch_services_of(folded(check.node), how == Touch::stored ? Touch::count : how, false);
  } else {
    touch_name(name, how);
  }
}

/// The checks of a service are those that its instances have and that were stored under its name: an instance that goes
/// from one name to another takes some out of the list of the one, or into that of the other.
void State::Writer::mark_moved_checks(const std::string& owner, const std::set<std::string>& names) {
  data_.for_checks_of(owner, [&](const CheckPtr& check) {
    const auto shown = folded(check->service_name);
    if (!names.contains(shown)) return;
    data_.tables.checks = index_;
    mark(Table::service_checks, shown);
  });
}

Result<CommandResult> State::Writer::run(const UpdateCheckCommand& command) {
  const auto* found = data_.checks.find(join(folded(command.node), folded(command.check_id)));
  if (found == nullptr) return fail(Errc::not_found, "Unknown check ID \"{}\"", command.check_id);
  const CheckPtr before = *found;
  if (is_outdated(command.as_of_restore)) return CommandResult{};
  if (command.about && *command.about != before->definition) return CommandResult{};
  if (before->status == command.status && before->output == command.output) return CommandResult{};
  auto check = std::make_shared<Check>(*before);
  check->status = command.status;
  check->output = command.output;
  if (before->status != command.status) {
    CHECK(copy_in_service(*check));
    check->modify_index = index_;
    store_check(check, before);
    return CommandResult{};
  }
  // Only the output: shown from now on, but no index moves and nobody wakes, as in Consul.
  data_.checks.set(key_of(*check), check);
  touch_check(*check, Touch::refresh);
  return CommandResult{};
}

}  // namespace devstack::registry
