#include "core/supervisor/gate.h"

#include <gtest/gtest.h>

#include <map>

namespace devstack::supervisor {
namespace {

using stack::Dependency;
using stack::DependencyCondition;
using State = UnitState;

Gate look(DependencyCondition condition, const std::vector<DependencyView>& instances, bool required = true) {
  Dependency dependency;
  dependency.service = "db";
  dependency.condition = condition;
  dependency.required = required;
  return gate({dependency}, [&](const std::string&) { return instances; });
}

DependencyView view(State state, bool up = false, bool ever = false, bool health = false) {
  return {state, up, ever, health};
}

TEST(Gate, FollowsTheTable) {
  using C = DependencyCondition;
  using G = Gate::State;
  struct Row {
    C condition;
    DependencyView unit;
    G expected;
  };
  const std::vector<Row> rows{
      {C::started, view(State::pending), G::waiting},
      {C::started, view(State::waiting), G::waiting},
      {C::started, view(State::starting), G::waiting},
      {C::started, view(State::starting, true, true, true), G::open},
      {C::started, view(State::running, true, true), G::open},
      {C::started, view(State::unhealthy, true, true, true), G::open},
      {C::started, view(State::backoff, false, true), G::open},
      {C::started, view(State::backoff), G::waiting},
      {C::started, view(State::completed, false, true), G::open},
      {C::started, view(State::failed), G::failed},
      {C::started, view(State::stopped), G::waiting},
      {C::healthy, view(State::starting, true, true, true), G::waiting},
      {C::healthy, view(State::running, true, true, true), G::open},
      {C::healthy, view(State::running, true, true, false), G::failed},
      {C::healthy, view(State::unhealthy, true, true, true), G::failed},
      {C::healthy, view(State::backoff, false, true), G::waiting},
      {C::healthy, view(State::failed), G::failed},
      {C::healthy, view(State::completed, false, true), G::failed},
      {C::completed_successfully, view(State::running, true, true), G::waiting},
      {C::completed_successfully, view(State::completed, false, true), G::open},
      {C::completed_successfully, view(State::failed, false, true), G::failed},
  };
  for (const auto& row : rows) {
    const auto result = look(row.condition, {row.unit});
    EXPECT_EQ(result.state, row.expected) << static_cast<int>(row.condition) << " " << to_string(row.unit.state);
    EXPECT_EQ(result.detail.empty(), row.expected == G::open) << result.detail;
  }
}

TEST(Gate, EveryInstanceMustMeetTheCondition) {
  EXPECT_EQ(look(DependencyCondition::started, {view(State::running, true, true), view(State::starting)}).state,
            Gate::State::waiting);
}

TEST(Gate, OptionalDependencyNeverFailsButIsWaitedFor) {
  EXPECT_EQ(look(DependencyCondition::started, {view(State::failed)}, false).state, Gate::State::open);
  EXPECT_EQ(look(DependencyCondition::started, {}, false).state, Gate::State::open);
  EXPECT_EQ(look(DependencyCondition::started, {view(State::starting)}, false).state, Gate::State::waiting);
}

TEST(Gate, SaysWhatItWaitsFor) {
  EXPECT_EQ(look(DependencyCondition::healthy, {view(State::starting)}).detail, "for db to be healthy");
}

registry::State with(const registry::State& state, registry::Command command) {
  auto applied = state.apply(command);
  if (!applied) throw std::runtime_error(applied.error().message);
  return applied->state;
}

registry::State with_instance(const registry::State& state, const std::string& id, std::string_view status) {
  registry::RegisterCommand command;
  command.node.name = "laptop";
  command.node.address = "127.0.0.1";
  command.service.emplace();
  command.service->node = "laptop";
  command.service->id = id;
  command.service->name = "db";
  registry::Check check;
  check.node = "laptop";
  check.id = "service:" + id;
  check.service_id = id;
  check.status = std::string(status);
  command.checks.push_back(check);
  return with(state, command);
}

TEST(RegistryGate, WaitsForOnePassingInstanceOfEachServiceAndForEachKey) {
  const stack::WaitFor wanted{{"db"}, {"app/ready"}};
  registry::State state;
  EXPECT_EQ(gate(wanted, state).detail, "waits for registry service db to appear");
  state = with_instance(state, "db-1", registry::status::critical);
  EXPECT_EQ(gate(wanted, state).state, Gate::State::waiting);
  EXPECT_EQ(gate(wanted, state).detail, "waits for registry service db to pass");
  state = with_instance(state, "db-2", registry::status::passing);
  EXPECT_EQ(gate(wanted, state).detail, "waits for registry key app/ready");
  registry::KvSetCommand key;
  key.key = "app/ready";
  state = with(state, key);
  EXPECT_EQ(gate(wanted, state).state, Gate::State::open);
  EXPECT_EQ(gate(stack::WaitFor{}, registry::State()).state, Gate::State::open);
}

TEST(RegistryGate, IsWokenByItsServicesAndKeysAlone) {
  using Table = registry::Watch::Table;
  const std::vector<registry::Watch> expected{{Table::service, "db"}, {Table::kv_key, "app/ready"}};
  EXPECT_EQ(watches({{"db"}, {"app/ready"}}), expected);
}

}  // namespace
}  // namespace devstack::supervisor
