#include "core/health/alias.h"

#include <gmock/gmock.h>

namespace devstack::health {
namespace {

using registry::Check;
using registry::Service;
using registry::State;

class AliasTest : public testing::Test {
 protected:
  AliasTest() {
    register_service("n1", "web");
    alias.node = "n1";
    alias.id = "alias";
    alias.definition.kind = registry::CheckDefinition::Kind::alias;
    alias.definition.alias_service = "web";
  }
  void apply(const registry::Command& command) {
    auto applied = state.apply(command);
    ASSERT_TRUE(applied) << applied.error().message;
    state = applied->state;
  }
  void register_service(const std::string& node, const std::string& id, bool agent_owned = true) {
    registry::RegisterCommand command;
    command.node.name = node;
    command.node.address = "127.0.0.1";
    Service service;
    service.id = service.name = id;
    service.agent_owned = agent_owned;
    command.service = service;
    apply(command);
  }
  void add(const std::string& id, std::string status, const std::string& service = "web",
           const std::string& node = "n1", bool agent_owned = true) {
    registry::RegisterCommand command;
    command.node.name = node;
    command.node.address = "127.0.0.1";
    Check check;
    check.id = id;
    check.name = "check " + id;
    check.status = std::move(status);
    check.output = "out of " + id;
    check.service_id = service;
    check.agent_owned = agent_owned;
    command.checks.push_back(check);
    apply(command);
  }
  std::string now() {
    const auto health = alias_health(state, alias);
    return health.status + ": " + health.output;
  }
  State state;
  Check alias;
};

TEST_F(AliasTest, PassesWithoutChecks) { EXPECT_EQ(now(), "passing: No checks found."); }

TEST_F(AliasTest, PassesWhenAllPass) {
  add("a", "passing");
  EXPECT_EQ(now(), "passing: All checks passing.");
}

TEST_F(AliasTest, TellsTheWorst) {
  add("a", "passing");
  add("b", "warning");
  EXPECT_EQ(now(), "warning: Aliased check \"check b\" failing: out of b");
  add("c", "critical");
  add("d", "passing");
  EXPECT_EQ(now(), "critical: Aliased check \"check c\" failing: out of c");
}

TEST_F(AliasTest, ChecksOfTheNodeCount) {
  add("disk", "warning", "");
  EXPECT_EQ(now(), "warning: Aliased check \"check disk\" failing: out of disk");
}

TEST_F(AliasTest, ChecksOfOtherServicesDoNot) {
  register_service("n1", "db");
  add("a", "critical", "db");
  EXPECT_EQ(now(), "passing: No checks found.");
}

TEST_F(AliasTest, AServiceThatIsNotThereIsCritical) {
  alias.definition.alias_service = "gone";
  EXPECT_EQ(now(), "critical: Service gone could not be found on node ");
  alias.definition.alias_node = "n1";
  EXPECT_EQ(now(), "critical: Service gone could not be found on node n1");
}

TEST_F(AliasTest, WithoutANodeOnlyTheAgentsOwnCount) {
  add("serfHealth", "passing", "", "n1", false);
  EXPECT_EQ(now(), "passing: No checks found.");
  alias.definition.alias_node = "n1";
  EXPECT_EQ(now(), "passing: All checks passing.");
}

TEST_F(AliasTest, AnotherNodesServiceCanBeAliased) {
  alias.definition.alias_node = "n2";
  register_service("n2", "web", false);
  add("a", "critical", "web", "n2", false);
  EXPECT_EQ(now(), "critical: Aliased check \"check a\" failing: out of a");
}

TEST_F(AliasTest, WithoutAServiceItIsTheNodesHealth) {
  alias.definition.alias_service = "";
  alias.definition.alias_node = "n2";
  EXPECT_EQ(now(), "critical: Service  could not be found on node n2");
  register_service("n2", "web", false);
  add("serfHealth", "passing", "", "n2", false);
  add("a", "critical", "web", "n2", false);
  EXPECT_EQ(now(), "passing: All checks passing.");
}

TEST_F(AliasTest, ItselfDoesNotCount) {
  add("alias", "critical", "");
  EXPECT_EQ(now(), "passing: No checks found.");
}

}  // namespace
}  // namespace devstack::health
