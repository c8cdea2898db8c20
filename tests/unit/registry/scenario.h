#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "core/registry/state.h"

namespace devstack::registry {

/// A state that commands are applied to in turn; what the last one changed stays to be looked at.
class Scenario {
 public:
  Scenario() = default;

  CommandResult apply(const Command& command) {
    auto applied = state.apply(command, now);
    EXPECT_TRUE(applied) << applied.error().message;
    if (!applied) return {};
    last = applied->changed;
    rows = applied->rows;
    state = applied->state;
    return applied->result;
  }
  /// The message of the error that the command must end with.
  std::string error_of(const Command& command) {
    const auto applied = state.apply(command, now);
    EXPECT_FALSE(applied);
    return applied ? "" : applied.error().message;
  }
  [[nodiscard]] bool woke(Watch::Table table, std::string key = {}) const {
    const Watch watch{table, std::move(key)};
    for (const auto& changed : last) {
      if (wakes(changed, watch)) return true;
    }
    return false;
  }
  [[nodiscard]] Index index_of(Watch::Table table, std::string key = {}) const {
    return state.index_of({table, std::move(key)});
  }

  void node(std::string name, std::string address = "10.0.0.1") {
    RegisterCommand command;
    command.node.name = std::move(name);
    command.node.address = std::move(address);
    apply(command);
  }
  void service(std::string node_name, std::string name, std::string id = {}, std::vector<std::string> tags = {}) {
    RegisterCommand command;
    command.node.name = std::move(node_name);
    command.node.address = "10.0.0.1";
    command.skip_node_update = true;
    command.service.emplace();
    command.service->name = std::move(name);
    command.service->id = std::move(id);
    command.service->tags = std::move(tags);
    apply(command);
  }
  void check(std::string node_name, std::string id, std::string status, std::string service_id = {}) {
    RegisterCommand command;
    command.node.name = std::move(node_name);
    command.node.address = "10.0.0.1";
    command.skip_node_update = true;
    Check check;
    check.id = check.name = std::move(id);
    check.status = std::move(status);
    check.service_id = std::move(service_id);
    command.checks.push_back(std::move(check));
    apply(command);
  }
  CommandResult set_check(std::string node_name, std::string id, std::string status, std::string output = {}) {
    return apply(UpdateCheckCommand{std::move(node_name), std::move(id), std::move(status), std::move(output)});
  }
  void session(std::string id, std::string node_name = "n1", Session::Behavior behavior = Session::Behavior::release,
               std::vector<std::string> checks = {}) {
    SessionCreateCommand command;
    command.session.id = std::move(id);
    command.session.node = std::move(node_name);
    command.session.behavior = behavior;
    command.session.node_checks = std::move(checks);
    apply(command);
  }
  CommandResult put(std::string key, std::string value = "v", std::uint64_t flags = 0) {
    KvSetCommand command;
    command.key = std::move(key);
    command.value = std::move(value);
    command.flags = flags;
    return apply(command);
  }
  CommandResult cas(std::string key, Index index, std::string value = "v") {
    KvSetCommand command;
    command.key = std::move(key);
    command.value = std::move(value);
    command.cas = index;
    return apply(command);
  }
  bool acquire(std::string key, std::string session_id, std::string value = "v") {
    KvSetCommand command;
    command.key = std::move(key);
    command.value = std::move(value);
    command.acquire = std::move(session_id);
    return apply(command).applied;
  }
  bool release(std::string key, std::string session_id, std::string value = "v") {
    KvSetCommand command;
    command.key = std::move(key);
    command.value = std::move(value);
    command.release = std::move(session_id);
    return apply(command).applied;
  }
  bool remove(std::string key) {
    KvDeleteCommand command;
    command.key = std::move(key);
    return apply(command).applied;
  }
  void remove_tree(std::string prefix) {
    KvDeleteCommand command;
    command.key = std::move(prefix);
    command.prefix = true;
    apply(command);
  }

  State state;
  Instant now{std::chrono::hours(1)};
  std::vector<Watch> last;
  std::vector<Row> rows;
};

using Table = Watch::Table;

}  // namespace devstack::registry
