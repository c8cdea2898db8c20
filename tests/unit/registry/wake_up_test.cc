#include <gmock/gmock.h>

#include "scenario.h"

/// The rows of the wake-up table of blocking queries.
namespace devstack::registry {
namespace {

TEST(WakeUp, IndexesAreNeverZero) {
  const State state;
  for (int table = 0; table <= static_cast<int>(Table::checks_in_state); ++table) {
    EXPECT_GE(state.index_of({static_cast<Table>(table), "x"}), 1U) << table;
  }
}

TEST(WakeUp, AKeyWakesItselfAndItsPrefixesButNotItsSiblingsOrChildren) {
  Scenario s;
  s.put("a/b");
  EXPECT_TRUE(s.woke(Table::kv_key, "a/b"));
  EXPECT_TRUE(s.woke(Table::kv_prefix, ""));
  EXPECT_TRUE(s.woke(Table::kv_prefix, "a"));
  EXPECT_TRUE(s.woke(Table::kv_prefix, "a/b"));
  EXPECT_TRUE(s.woke(Table::any));
  EXPECT_FALSE(s.woke(Table::kv_key, "a"));
  EXPECT_FALSE(s.woke(Table::kv_key, "a/b/c"));
  EXPECT_FALSE(s.woke(Table::kv_prefix, "a/b/"));
  EXPECT_FALSE(s.woke(Table::kv_key, "A/B"));
  EXPECT_FALSE(s.woke(Table::services));
}

TEST(WakeUp, AMissingKeyHasTheIndexOfTheWholeTable) {
  Scenario s;
  const auto first = s.put("a").index;
  const auto second = s.put("b").index;
  EXPECT_EQ(s.index_of(Table::kv_key, "a"), first);
  EXPECT_EQ(s.index_of(Table::kv_key, "missing"), second);
}

TEST(WakeUp, ThePrefixIndexDoesNotSlideBackWhenTheNewestKeyIsDeleted) {
  Scenario s;
  s.put("p/old");
  s.put("p/new");
  s.remove("p/new");
  const auto deleted = s.state.index();
  EXPECT_EQ(s.index_of(Table::kv_prefix, "p/"), deleted);
  s.put("elsewhere");
  EXPECT_EQ(s.index_of(Table::kv_prefix, "p/"), deleted);
  EXPECT_EQ(s.index_of(Table::kv_prefix, "nothing/"), s.state.index());
  EXPECT_EQ(s.index_of(Table::kv_prefix, ""), s.state.index());
}

TEST(WakeUp, ReapedTombstonesNoLongerCountAndNobodyWakes) {
  Scenario s;
  s.put("p/old");
  const auto kept = s.state.index();
  s.put("p/new");
  s.remove("p/new");
  const auto deleted = s.state.index();
  s.apply(ReapTombstonesCommand{deleted - 1});
  EXPECT_EQ(s.index_of(Table::kv_prefix, "p/"), deleted);
  s.apply(ReapTombstonesCommand{deleted});
  EXPECT_TRUE(s.last.empty());
  EXPECT_FALSE(s.rows.empty());
  EXPECT_EQ(s.index_of(Table::kv_prefix, "p/"), kept);
  EXPECT_EQ(s.state.index(), deleted);
}

TEST(WakeUp, NodesWakeOnNodesOnly) {
  Scenario s;
  s.node("n1");
  EXPECT_TRUE(s.woke(Table::nodes));
  const auto index = s.index_of(Table::nodes);
  s.service("n1", "web");
  EXPECT_FALSE(s.woke(Table::nodes));
  s.check("n1", "c", "passing");
  EXPECT_FALSE(s.woke(Table::nodes));
  EXPECT_EQ(s.index_of(Table::nodes), index);
  s.node("n1", "10.0.0.2");
  EXPECT_TRUE(s.woke(Table::nodes));
}

TEST(WakeUp, CatalogServicesWakesOnInstancesNotOnChecks) {
  Scenario s;
  s.node("n1");
  s.service("n1", "web");
  EXPECT_TRUE(s.woke(Table::services));
  const auto index = s.index_of(Table::services);
  s.check("n1", "c", "passing", "web");
  EXPECT_FALSE(s.woke(Table::services));
  s.service("n1", "web");
  EXPECT_TRUE(s.last.empty());
  EXPECT_EQ(s.index_of(Table::services), index);
  s.service("n1", "web", "", {"v2"});
  EXPECT_TRUE(s.woke(Table::services));
  s.apply(DeregisterCommand{"n1", "web", ""});
  EXPECT_TRUE(s.woke(Table::services));
}

TEST(WakeUp, AnUnrelatedServiceIsLeftAlone) {
  Scenario s;
  s.node("n1");
  s.service("n1", "web");
  const auto index = s.index_of(Table::service, "web");
  s.service("n1", "db");
  s.check("n1", "c", "passing", "db");
  EXPECT_FALSE(s.woke(Table::service, "web"));
  EXPECT_EQ(s.index_of(Table::service, "web"), index);
}

TEST(WakeUp, ACheckWakesHealthOfItsServiceAndMovesTheCatalogIndexSilently) {
  Scenario s;
  s.node("n1");
  s.service("n1", "web");
  s.check("n1", "c", "passing", "web");
  EXPECT_TRUE(s.woke(Table::service, "WEB"));
  EXPECT_FALSE(s.woke(Table::service_instances, "web"));
  EXPECT_EQ(s.index_of(Table::service_instances, "web"), s.state.index());
}

TEST(WakeUp, NodeLevelChecksAndNodeEditsReachEveryServiceOfThatNodeOnly) {
  Scenario s;
  s.node("n1");
  s.node("n2");
  s.service("n1", "web");
  s.service("n1", "db");
  s.service("n2", "other");
  s.check("n1", "disk", "warning");
  for (const auto* name : {"web", "db"}) {
    EXPECT_TRUE(s.woke(Table::service, name));
    EXPECT_FALSE(s.woke(Table::service_instances, name));
    EXPECT_EQ(s.index_of(Table::service, name), s.state.index());
  }
  EXPECT_FALSE(s.woke(Table::service, "other"));
  s.node("n1", "10.9.9.9");
  EXPECT_TRUE(s.woke(Table::service, "web"));
  EXPECT_TRUE(s.woke(Table::service_instances, "web"));
  EXPECT_FALSE(s.woke(Table::service, "other"));
  EXPECT_EQ(s.state.instances("web").front().address(), "10.9.9.9");
}

TEST(WakeUp, TheLastInstanceLeavingIsSeenThroughTheExtinctionIndex) {
  Scenario s;
  s.node("n1");
  s.service("n1", "web");
  const auto seen = s.index_of(Table::service, "web");
  s.apply(DeregisterCommand{"n1", "web", ""});
  EXPECT_TRUE(s.woke(Table::service, "web"));
  const auto gone = s.index_of(Table::service, "web");
  EXPECT_GT(gone, seen);
  s.service("n1", "db");
  EXPECT_FALSE(s.woke(Table::service, "web"));
  EXPECT_EQ(s.index_of(Table::service, "web"), gone);
  s.service("n1", "web");
  EXPECT_TRUE(s.woke(Table::service, "web"));
  EXPECT_GT(s.index_of(Table::service, "web"), gone);
}

TEST(WakeUp, AServiceThatNeverWasHasTheIndexOfTheTables) {
  Scenario s;
  s.node("n1");
  const auto nodes = s.state.index();
  s.check("n1", "c", "passing");
  EXPECT_EQ(s.index_of(Table::service_instances, "x"), nodes);
  EXPECT_EQ(s.index_of(Table::service, "x"), s.state.index());
}

TEST(WakeUp, CheckRowsWakeThoseWhoWatchThemWhileTheTableIndexMovesForAll) {
  Scenario s;
  s.node("n1");
  s.node("n2");
  s.service("n1", "web");
  s.check("n1", "c", "passing", "web");
  EXPECT_TRUE(s.woke(Table::checks));
  EXPECT_TRUE(s.woke(Table::node_checks, "n1"));
  EXPECT_FALSE(s.woke(Table::node_checks, "n2"));
  EXPECT_TRUE(s.woke(Table::service_checks, "web"));
  EXPECT_TRUE(s.woke(Table::checks_in_state, "passing"));
  EXPECT_FALSE(s.woke(Table::checks_in_state, "critical"));
  s.set_check("n1", "c", "critical");
  EXPECT_TRUE(s.woke(Table::checks_in_state, "passing"));
  EXPECT_TRUE(s.woke(Table::checks_in_state, "critical"));
  EXPECT_FALSE(s.woke(Table::checks_in_state, "warning"));
  EXPECT_EQ(s.index_of(Table::checks_in_state, "warning"), s.state.index());
}

TEST(WakeUp, ANewOutputOfTheSameStatusIsShownButWakesNobody) {
  Scenario s;
  s.node("n1");
  s.service("n1", "web");
  s.check("n1", "c", "passing", "web");
  const auto before = s.state.index();
  ASSERT_EQ(s.state.instances("web").front().checks.front()->output, "");
  s.set_check("n1", "c", "passing", "fine");
  EXPECT_TRUE(s.last.empty());
  EXPECT_TRUE(s.rows.empty());
  EXPECT_EQ(s.state.index(), before);
  EXPECT_EQ(s.state.check("n1", "c")->output, "fine");
  EXPECT_EQ(s.state.instances("web").front().checks.front()->output, "fine");
}

TEST(WakeUp, CatalogNodeWakesOnThatNodeAndItsServices) {
  Scenario s;
  EXPECT_EQ(s.index_of(Table::node, "n1"), 1U);
  s.node("n1");
  EXPECT_TRUE(s.woke(Table::node, "N1"));
  s.service("n1", "web");
  EXPECT_TRUE(s.woke(Table::node, "n1"));
  EXPECT_FALSE(s.woke(Table::node, "n2"));
  s.check("n1", "c", "passing");
  EXPECT_FALSE(s.woke(Table::node, "n1"));
}

TEST(WakeUp, SessionsWakeOnCreateAndDestroy) {
  Scenario s;
  s.node("n1");
  s.session("s1");
  EXPECT_TRUE(s.woke(Table::sessions));
  s.put("k");
  EXPECT_FALSE(s.woke(Table::sessions));
  s.apply(SessionDestroyCommand{"s1"});
  EXPECT_TRUE(s.woke(Table::sessions));
  s.apply(SessionDestroyCommand{"s1"});
  EXPECT_TRUE(s.last.empty());
}

TEST(WakeUp, QueriesAndEventsHaveTablesOfTheirOwn) {
  Scenario s;
  QuerySetCommand query;
  query.query.id = "q-1";
  query.query.name = "near";
  s.apply(query);
  EXPECT_TRUE(s.woke(Table::queries));
  EXPECT_FALSE(s.woke(Table::events));
  s.apply(EventFireCommand{UserEvent{"e-1", "deploy", "", "", "", "", 0}});
  EXPECT_TRUE(s.woke(Table::events));
  EXPECT_EQ(s.state.events().front()->ltime, 1U);
}

/// Doing the same again must move nothing: heartbeats would wake every watcher.
TEST(WakeUp, RepeatingAWriteMovesNothing) {
  Scenario s;
  s.node("n1");
  s.session("s1");
  RegisterCommand registration;
  registration.node.name = "n1";
  registration.node.address = "10.0.0.1";
  registration.service.emplace();
  registration.service->name = "web";
  Check check;
  check.name = "c";
  check.service_id = "web";
  check.status = "passing";
  registration.checks.push_back(check);
  KvSetCommand put;
  put.key = "k";
  put.value = "v";
  KvSetCommand lock;
  lock.key = "lock";
  lock.acquire = "s1";
  const std::vector<Command> commands{registration,
                                      put,
                                      lock,
                                      UpdateCheckCommand{"n1", "c", "warning", "x"},
                                      KvDeleteCommand{"absent", false, {}},
                                      DeregisterCommand{"n1", "absent", ""}};
  for (const auto& command : commands) {
    s.apply(command);
    const auto index = s.state.index();
    EXPECT_EQ(s.apply(command).index, index) << command.index();
    EXPECT_TRUE(s.last.empty()) << command.index();
    EXPECT_TRUE(s.rows.empty()) << command.index();
  }
}

}  // namespace
}  // namespace devstack::registry
