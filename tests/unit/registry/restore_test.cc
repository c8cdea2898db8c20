#include <gtest/gtest.h>

#include "core/registry/state.h"

namespace devstack::registry {
namespace {

Row node(std::string name, std::string id = {}) {
  Node one;
  one.name = std::move(name);
  one.id = std::move(id);
  return {std::make_shared<const Node>(std::move(one)), Row::Kind::put};
}
Row service(std::string node_name, std::string id) {
  Service one;
  one.node = std::move(node_name);
  one.name = "web";
  one.id = std::move(id);
  return {std::make_shared<const Service>(std::move(one)), Row::Kind::put};
}
Row session(std::string node_name) {
  Session one;
  one.id = "s";
  one.node = std::move(node_name);
  return {std::make_shared<const Session>(std::move(one)), Row::Kind::put};
}
Row locked_key(std::string holder) {
  KvEntry one;
  one.key = "k";
  one.session = std::move(holder);
  return {std::make_shared<const KvEntry>(std::move(one)), Row::Kind::put};
}

TEST(Restore, LeavesOutAServiceWhoseNodeIsNotThere) {
  const auto state = State::restore({node("n1"), service("n1", "a"), service("gone", "b")}, 1);
  ASSERT_EQ(state.instances("web").size(), 1U);
  EXPECT_EQ(state.instances("web")[0].node->name, "n1");
}

TEST(Restore, LeavesOutNamesThatWouldReadAsTwo) {
  const std::string two("n1\0x", 4);
  const auto state = State::restore({node("n1"), node(two), service("n1", two), service(two, "a")}, 1);
  EXPECT_EQ(state.nodes().size(), 1U);
  EXPECT_TRUE(state.services_of("n1").empty());
}

TEST(Restore, ReleasesAKeyWhoseSessionIsNotThere) {
  EXPECT_EQ(State::restore({node("n1"), session("n1"), locked_key("s")}, 1).kv("k")->session, "s");
  EXPECT_EQ(State::restore({node("n1"), locked_key("s")}, 1).kv("k")->session, "");
}

TEST(Restore, AKeyIsNotDeletedAsWell) {
  const auto state = State::restore({{TombstoneRow{"k", 9}, Row::Kind::put}, node("n1"), locked_key("")}, 1);
  EXPECT_NE(state.kv("k"), nullptr);
  const auto reaped = state.apply(ReapTombstonesCommand{9});
  ASSERT_TRUE(reaped);
  EXPECT_NE(reaped->state.kv("k"), nullptr);
}

TEST(Restore, TheFirstOfTwoSessionsOfOneIdCounts) {
  const auto state = State::restore({node("n1"), node("n2"), session("n1"), session("n2")}, 1);
  const auto gone = state.apply(DeregisterCommand{"n1", {}, {}});
  ASSERT_TRUE(gone);
  EXPECT_TRUE(gone->state.sessions().empty());
  EXPECT_TRUE(gone->state.apply(DeregisterCommand{"n2", {}, {}}));
}

TEST(Restore, TheCounterNeverBeginsAgain) {
  const auto state = State::restore({{IndexRow{"index", ~Index{0}}, Row::Kind::put}, node("n1")}, 1);
  const auto written = state.apply(KvSetCommand{"k", "v", 0, {}, {}, {}, false});
  ASSERT_TRUE(written);
  EXPECT_GT(written->state.index(), state.index());
}

}  // namespace
}  // namespace devstack::registry
