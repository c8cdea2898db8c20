#include <gmock/gmock.h>

#include "core/registry/agent.h"
#include "scenario.h"

namespace devstack::registry {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Catalog, NamesAreFoundWithoutCase) {
  Scenario s;
  s.node("N1");
  s.service("n1", "Web", "w1");
  EXPECT_EQ(s.state.node("n1")->name, "N1");
  EXPECT_EQ(s.state.instances("wEB").size(), 1U);
  EXPECT_EQ(s.state.service("N1", "W1")->name, "Web");
  EXPECT_EQ(s.state.service("n1", "w1")->node, "N1");
}

TEST(Catalog, ANodeIsFoundByItsId) {
  Scenario s;
  RegisterCommand command;
  command.node = {"AAAA-1", "n1", "10.0.0.1", "dc1", {}, {}, 0, 0};
  s.apply(command);
  EXPECT_EQ(s.state.node("aaaa-1")->name, "n1");
  command.node.id.clear();
  command.node.address = "10.0.0.2";
  s.apply(command);
  EXPECT_EQ(s.state.node("aaaa-1")->address, "10.0.0.2");
}

TEST(Catalog, AnIdUnderANewNameRenamesTheNode) {
  Scenario s;
  RegisterCommand command;
  command.node = {"id-1", "old", "10.0.0.1", "dc1", {}, {}, 0, 0};
  s.apply(command);
  s.service("old", "web");
  command.node.name = "new";
  s.apply(command);
  EXPECT_EQ(s.state.node("old"), nullptr);
  EXPECT_EQ(s.state.node("id-1")->name, "new");
  EXPECT_FALSE(s.state.has_service("web"));
}

TEST(Catalog, ALiveNodesNameIsReserved) {
  Scenario s;
  RegisterCommand command;
  command.node = {"id-1", "n1", "10.0.0.1", "dc1", {}, {}, 0, 0};
  s.apply(command);
  s.check("n1", "serfHealth", "passing");
  command.node.id = "id-2";
  EXPECT_THAT(s.error_of(command), testing::HasSubstr("Node name n1 is reserved by node id-1"));
  s.set_check("n1", "serfHealth", "critical");
  s.apply(command);
  EXPECT_EQ(s.state.node("n1")->id, "id-2");
}

TEST(Catalog, InstancesCarryNodeChecksFirstAndAreOrderedByNodeThenId) {
  Scenario s;
  for (const auto* node : {"n2", "n1"}) s.node(node);
  s.service("n2", "web", "a");
  s.service("n1", "web", "z");
  s.service("n1", "web", "b");
  s.check("n1", "own", "passing", "b");
  s.check("n1", "zz-node", "warning");
  std::vector<std::string> order;
  for (const auto& instance : s.state.instances("web")) order.push_back(instance.node->name + instance.service->id);
  EXPECT_THAT(order, ElementsAre("n1b", "n1z", "n2a"));
  const auto set = s.state.instance_set("web");
  ASSERT_EQ(set->front().checks.size(), 2U);
  EXPECT_EQ(set->front().checks[0]->id, "zz-node");
  EXPECT_EQ(set->front().checks[1]->id, "own");
  EXPECT_EQ(set->front().aggregated_status(), "warning");
  EXPECT_EQ(set->back().aggregated_status(), "passing");
}

TEST(Catalog, AnInstanceSetOutlivesTheStateAndIsSharedUntilSomethingChanges) {
  Scenario s;
  s.node("n1");
  s.service("n1", "web");
  const auto before = s.state.instance_set("web");
  s.service("n1", "db");
  EXPECT_EQ(s.state.instance_set("web"), before);
  s.apply(DeregisterCommand{"n1", "", ""});
  EXPECT_TRUE(s.state.instance_set("web")->empty());
  EXPECT_EQ(before->front().node->name, "n1");
}

TEST(Catalog, DeregisteringLastInstanceRemovesName) {
  Scenario s;
  s.node("n1");
  s.service("n1", "web", "w1", {"b"});
  s.service("n1", "web", "w2", {"a", "b"});
  EXPECT_THAT(s.state.services(), ElementsAre(Pair("web", ElementsAre("a", "b"))));
  s.apply(DeregisterCommand{"n1", "w1", ""});
  EXPECT_TRUE(s.state.has_service("web"));
  s.apply(DeregisterCommand{"n1", "w2", ""});
  EXPECT_TRUE(s.state.services().empty());
}

TEST(Catalog, DeregisteringAServiceTakesItsChecksOnly) {
  Scenario s;
  s.node("n1");
  s.service("n1", "web");
  s.check("n1", "c1", "passing", "web");
  s.check("n1", "c2", "passing");
  s.apply(DeregisterCommand{"n1", "web", ""});
  EXPECT_EQ(s.state.check("n1", "c1"), nullptr);
  EXPECT_NE(s.state.check("n1", "c2"), nullptr);
}

TEST(Catalog, AResultOfAnotherDefinitionChangesNothing) {
  Scenario s;
  s.node("n1");
  RegisterCommand command;
  command.node.name = "n1";
  command.skip_node_update = true;
  command.checks.emplace_back();
  command.checks[0].id = "c";
  command.checks[0].status = "critical";
  command.checks[0].definition.tcp = "127.0.0.1:80";
  s.apply(command);
  UpdateCheckCommand result{"n1", "c", "passing", "old"};
  result.about.emplace();
  result.about->tcp = "127.0.0.1:79";
  const auto index = s.state.index();
  s.apply(result);
  EXPECT_EQ(s.state.check("n1", "c")->status, "critical");
  EXPECT_EQ(s.state.check("n1", "c")->output, "");
  EXPECT_EQ(s.state.index(), index);
  result.about = s.state.check("n1", "c")->definition;
  s.apply(result);
  EXPECT_EQ(s.state.check("n1", "c")->status, "passing");
}

TEST(Catalog, ChecksOfOneInstanceAreItsOwnAlone) {
  Scenario s;
  for (const auto* node : {"n1", "n2"}) {
    s.node(node);
    for (const auto* service : {"web", "web2"}) {
      s.service(node, service, service);
      s.check(node, std::string("of ") + service, "passing", service);
    }
    s.check(node, "disk", "passing");
  }
  const auto ids = [&](const std::string& service) {
    std::vector<std::string> out;
    for (const auto& check : s.state.checks_of_instance("N1", service)) out.push_back(check->node + "/" + check->id);
    return out;
  };
  EXPECT_THAT(ids("WEB"), ElementsAre("n1/of web"));
  EXPECT_THAT(ids("web2"), ElementsAre("n1/of web2"));
  EXPECT_THAT(ids(""), ElementsAre("n1/disk"));
  EXPECT_THAT(ids("we"), ElementsAre());
}

TEST(Catalog, AServiceIdMayMoveToAnotherName) {
  Scenario s;
  s.node("n1");
  s.service("n1", "web", "x");
  s.check("n1", "c", "passing", "x");
  s.service("n1", "api", "x", {"t"});
  EXPECT_FALSE(s.state.has_service("web"));
  EXPECT_EQ(s.state.instances("api").at(0).checks.size(), 1U);
}

TEST(Catalog, ACheckShowsTheNameAndTagsOfWhenItWasStored) {
  Scenario s;
  s.node("n1");
  s.service("n1", "web", "x", {"old"});
  s.check("n1", "c", "passing", "x");
  s.service("n1", "api", "x", {"new"});
  const auto shown = s.state.instances("api").at(0).checks.at(0);
  EXPECT_EQ(shown->service_name, "web");
  EXPECT_THAT(shown->service_tags, ElementsAre("old"));
  EXPECT_TRUE(s.state.checks_of_service("api").empty());
  s.apply(UpdateCheckCommand{"n1", "c", "critical", ""});
  const auto stored = s.state.checks_of_service("api").at(0);
  EXPECT_EQ(stored->service_name, "api");
  EXPECT_THAT(stored->service_tags, ElementsAre("new"));
}

TEST(Catalog, ARemovedInstanceMovesTheIndexOfChecksAlsoWithoutOne) {
  Scenario s;
  s.node("n1");
  s.service("n1", "web", "x");
  const auto before = s.state.index_of({Watch::Table::checks, ""});
  s.apply(DeregisterCommand{"n1", "x", ""});
  EXPECT_GT(s.state.index_of({Watch::Table::checks, ""}), before);
}

TEST(Catalog, ReRegistrationThroughTheAgentKeepsStatusAndForgottenChecks) {
  Scenario s;
  s.node("n1");
  RegisterCommand command;
  command.node.name = "n1";
  command.skip_node_update = true;
  command.keep_check_status = true;
  command.service.emplace();
  command.service->name = "web";
  Check check;
  check.id = "c1";
  check.service_id = "web";
  command.checks.push_back(check);
  check.id = "c2";
  command.checks.push_back(check);
  s.apply(command);
  EXPECT_EQ(s.state.check("n1", "c1")->status, "critical");
  s.set_check("n1", "c1", "passing", "up");
  command.checks.pop_back();
  s.apply(command);
  EXPECT_EQ(s.state.check("n1", "c1")->status, "passing");
  EXPECT_EQ(s.state.check("n1", "c1")->output, "up");
  EXPECT_NE(s.state.check("n1", "c2"), nullptr);
  command.replace_checks = true;
  s.apply(command);
  EXPECT_EQ(s.state.check("n1", "c2"), nullptr);
  EXPECT_NE(s.state.check("n1", "c1"), nullptr);
}

TEST(Catalog, ARegistrationIsAllOrNothing) {
  Scenario s;
  RegisterCommand command;
  command.node.name = "n1";
  Check check;
  check.name = "c";
  check.service_id = "missing";
  command.checks.push_back(check);
  EXPECT_EQ(s.error_of(command), "failed inserting check: Missing service registration on node \"n1\"");
  EXPECT_TRUE(s.state.nodes().empty());
  command.checks.front().node = "other";
  EXPECT_EQ(s.error_of(command), "check node \"other\" does not match node \"n1\"");
  command.node.name.clear();
  EXPECT_EQ(s.error_of(command), "Must provide node");
}

TEST(Catalog, CountsWhatIsThere) {
  Scenario s;
  s.node("n1");
  s.node("n2");
  s.service("n1", "web", "web-1");
  s.service("n1", "web", "web-2");
  s.service("n2", "db");
  s.put("a");
  s.put("b");
  s.remove("a");
  auto counts = s.state.counts();
  EXPECT_EQ(counts.nodes, 2U);
  EXPECT_EQ(counts.instances, 3U);
  EXPECT_EQ(counts.services, 2U);
  EXPECT_EQ(counts.keys, 1U);
  s.apply(DeregisterCommand{"n1", "", ""});
  counts = s.state.counts();
  EXPECT_EQ(counts.nodes, 1U);
  EXPECT_EQ(counts.instances, 1U);
  EXPECT_EQ(counts.services, 1U);
}

TEST(Catalog, ACheckNeedsAnIdOrAName) {
  Scenario s;
  s.node("n1");
  RegisterCommand command;
  command.node.name = "n1";
  command.skip_node_update = true;
  Check check;
  check.status = "passing";
  command.checks.push_back(check);
  EXPECT_EQ(s.error_of(command),
            "failed inserting check: failed health check lookup: index error: object is missing a value for this index "
            "on node \"n1\"");
  TxnCheck op;
  op.check = check;
  op.check.node = "n1";
  const auto refused = s.apply(TxnCommand{{op}});
  ASSERT_EQ(refused.errors.size(), 1U);
  EXPECT_EQ(refused.errors[0].what,
            "failed health check lookup: index error: object is missing a value for this index");
  EXPECT_TRUE(s.state.checks_of_node("n1").empty());
  command.checks.front().name = "c";
  s.apply(command);
  EXPECT_NE(s.state.check("n1", "c"), nullptr);
}

TEST(Catalog, AMaintenanceCheckOutranksCritical) {
  Scenario s;
  s.node("n1");
  s.service("n1", "web");
  s.check("n1", "c", "critical", "web");
  EXPECT_EQ(s.state.instances("web").front().aggregated_status(), "critical");
  s.check("n1", "_service_maintenance:web", "critical", "web");
  EXPECT_EQ(s.state.instances("web").front().aggregated_status(), "maintenance");
}

TEST(Catalog, AnOldStateDoesNotChangeWithNewOnes) {
  Scenario s;
  s.node("n1");
  s.service("n1", "web");
  const auto old = s.state;
  s.check("n1", "c", "critical", "web");
  s.apply(DeregisterCommand{"n1", "", ""});
  EXPECT_EQ(old.instances("web").size(), 1U);
  EXPECT_TRUE(old.instances("web").front().checks.empty());
}

TEST(AgentRegistration, IpLiteralsBecomeTaggedAddresses) {
  Service service;
  service.port = 80;
  service.address = "10.1.2.3";
  add_ip_tagged_addresses(service);
  EXPECT_EQ(service.tagged_addresses.at("lan_ipv4"), (ServiceAddress{"10.1.2.3", 80}));
  EXPECT_EQ(service.tagged_addresses.at("wan_ipv4"), (ServiceAddress{"10.1.2.3", 80}));
  Service six;
  six.address = "::1";
  six.tagged_addresses["lan_ipv6"] = {"fe80::1", 1};
  add_ip_tagged_addresses(six);
  EXPECT_EQ(six.tagged_addresses.at("lan_ipv6").address, "fe80::1");
  EXPECT_EQ(six.tagged_addresses.at("wan_ipv6").address, "::1");
  Service named;
  named.address = "db.local";
  add_ip_tagged_addresses(named);
  EXPECT_TRUE(named.tagged_addresses.empty());
}

TEST(AgentRegistration, CheckIdsFollowTheirNumber) {
  Service service;
  service.id = service.name = "web";
  std::vector<Check> one(1);
  one[0].definition.kind = CheckDefinition::Kind::ttl;
  complete_checks(service, one);
  EXPECT_EQ(one[0].id, "service:web");
  EXPECT_EQ(one[0].name, "Service 'web' check");
  EXPECT_EQ(one[0].type, "ttl");
  std::vector<Check> three(3);
  three[1].id = "mine";
  complete_checks(service, three);
  EXPECT_EQ(three[0].id, "service:web:1");
  EXPECT_EQ(three[1].id, "mine");
  EXPECT_EQ(three[2].id, "service:web:3");
}

}  // namespace
}  // namespace devstack::registry
