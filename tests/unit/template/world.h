#pragma once

#include <gtest/gtest.h>

#include <string>

#include "core/template/evaluate.h"
#include "core/template/parser.h"

namespace devstack::templates::test {

/// A registry's content and what else a template sees, as a test builds it.
struct World {
  registry::State state;
  std::map<std::string, std::string> environment;

  World() {
    apply(registry::RegisterCommand{.node = node(),
                                    .skip_node_update = false,
                                    .service = {},
                                    .checks = {check("serfHealth", "", "passing")},
                                    .keep_check_status = false,
                                    .replace_checks = false});
    add_service("consul", "consul", "", 8300, {});
  }

  static registry::Node node() {
    registry::Node one;
    one.name = "node1";
    one.address = "127.0.0.1";
    one.datacenter = "dc1";
    return one;
  }
  static registry::Check check(const std::string& id, const std::string& service_id, const std::string& status) {
    registry::Check one;
    one.node = "node1";
    one.id = id;
    one.service_id = service_id;
    one.status = status;
    return one;
  }

  void apply(const registry::Command& command) {
    auto applied = state.apply(command);
    ASSERT_TRUE(applied) << applied.error().to_string();
    state = applied->state;
  }
  void set(const std::string& key, const std::string& value) {
    registry::KvSetCommand command;
    command.key = key;
    command.value = value;
    apply(command);
  }
  void add_service(const std::string& id, const std::string& name, const std::string& address, int port,
                   std::vector<std::string> tags, registry::StringMap meta = {}, const std::string& status = "") {
    registry::RegisterCommand command;
    command.node = node();
    registry::Service service;
    service.node = "node1";
    service.id = id;
    service.name = name;
    service.address = address;
    service.port = port;
    service.tags = std::move(tags);
    service.meta = std::move(meta);
    command.service = service;
    if (!status.empty()) command.checks.push_back(check("service:" + id, id, status));
    apply(command);
  }

  [[nodiscard]] Inputs inputs() const {
    return {.state = std::make_shared<const registry::State>(state),
            .node = "node1",
            .datacenter = "dc1",
            .environment = environment,
            .now = std::chrono::system_clock::from_time_t(1'700'000'000)};
  }
  [[nodiscard]] Evaluation evaluate_text(const std::string& text) const {
    auto parsed = parse(text, "t.ctmpl");
    if (parsed) return evaluate(**parsed, inputs());
    Evaluation failed;
    failed.error = parsed.error();
    return failed;
  }
  /// The text, or "ERROR position: words", or "MISSING what".
  [[nodiscard]] std::string render(const std::string& text) const {
    const auto result = evaluate_text(text);
    if (result.error) return "ERROR " + result.error->to_string();
    if (!result.missing.empty()) return fmt::format("MISSING {}", fmt::join(result.missing, ", "));
    return result.text;
  }
};

}  // namespace devstack::templates::test
