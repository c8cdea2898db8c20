#include <gmock/gmock.h>

#include "scenario.h"

namespace devstack::registry {
namespace {

TxnKv kv(TxnKv::Verb verb, std::string key, std::string value = {}, Index index = 0, std::string session = {}) {
  TxnKv op;
  op.verb = verb;
  op.key = std::move(key);
  op.value = std::move(value);
  op.index = index;
  op.session = std::move(session);
  return op;
}
using Verb = TxnKv::Verb;

TEST(Txn, AppliesAllUnderOneIndexAndHidesWrittenValues) {
  Scenario s;
  s.put("gone");
  const auto result = s.apply(
      TxnCommand{{kv(Verb::set, "a", "1"), kv(Verb::set, "b", "2"), kv(Verb::remove, "gone"), kv(Verb::get, "a")}});
  ASSERT_TRUE(result.applied);
  ASSERT_EQ(result.results.size(), 3U);
  EXPECT_EQ(std::get<KvPtr>(result.results[0])->value, "");
  EXPECT_EQ(std::get<KvPtr>(result.results[0])->modify_index, result.index);
  EXPECT_EQ(std::get<KvPtr>(result.results[2])->value, "1");
  EXPECT_EQ(s.state.kv("a")->modify_index, s.state.kv("b")->modify_index);
  EXPECT_EQ(s.state.kv("gone"), nullptr);
}

TEST(Txn, ListsEveryFailureAndChangesNothing) {
  Scenario s;
  s.node("n1");
  s.session("s1");
  const std::string other = "22222222-2222-2222-2222-222222222222";
  s.session(other);
  ASSERT_TRUE(s.acquire("held", "s1"));
  s.put("k");
  const auto before = s.state.index();
  const auto modified = s.state.kv("k")->modify_index;
  const auto result = s.apply(TxnCommand{{
      kv(Verb::set, "new", "1"),
      kv(Verb::get, "absent"),
      kv(Verb::check_not_exists, "k"),
      kv(Verb::cas, "k", "x", 1),
      kv(Verb::remove_cas, "k", "", 1),
      kv(Verb::lock, "held", "", 0, other),
      kv(Verb::unlock, "held", "", 0, other),
      kv(Verb::check_index, "k", "", 1),
      kv(Verb::check_session, "k", "", 0, "x"),
  }});
  EXPECT_FALSE(result.applied);
  std::vector<std::string> texts;
  for (const auto& error : result.errors) texts.push_back(std::to_string(error.op_index) + " " + error.what);
  EXPECT_THAT(texts,
              testing::ElementsAre(
                  "1 key \"absent\" doesn't exist", "2 key \"k\" exists", "3 failed to set key \"k\", index is stale",
                  "4 failed to delete key \"k\", index is stale", "5 failed to lock key \"held\", lock is already held",
                  "6 failed to unlock key \"held\", lock isn't held, or is held by another session",
                  fmt::format("7 failed index check for key \"k\", current modify index {} != 1", modified),
                  "8 failed session check for key \"k\", current session \"\" != \"x\""));
  EXPECT_EQ(s.state.index(), before);
  EXPECT_EQ(s.state.kv("new"), nullptr);
  EXPECT_TRUE(s.last.empty());
}

TEST(Txn, WhatCannotBeAnOperationIsToldAlone) {
  Scenario s;
  const auto result = s.apply(TxnCommand{{kv(Verb::get, "absent"), kv(Verb::set, "")}});
  EXPECT_FALSE(result.applied);
  ASSERT_EQ(result.errors.size(), 1U);
  EXPECT_EQ(result.errors[0].op_index, 1U);
  EXPECT_EQ(result.errors[0].what, "Must provide key");
}

TEST(Txn, LocksRespectLockDelay) {
  Scenario s;
  s.node("n1");
  s.session("s1");
  s.session("s2");
  ASSERT_TRUE(s.acquire("k", "s1"));
  s.apply(SessionDestroyCommand{"s1"});
  const auto result = s.apply(TxnCommand{{kv(Verb::lock, "k", "", 0, "s2")}});
  ASSERT_EQ(result.errors.size(), 1U);
  EXPECT_EQ(result.errors[0].what, "failed to lock key \"k\" due to lock delay");
}

TEST(Txn, ReadsOnASnapshotWithoutMovingIt) {
  Scenario s;
  s.put("t/1");
  s.put("t/2");
  const auto applied = s.state.apply(TxnCommand{{kv(Verb::get_tree, "t/")}});
  ASSERT_TRUE(applied);
  EXPECT_EQ(applied->result.results.size(), 2U);
  EXPECT_TRUE(applied->changed.empty());
  EXPECT_TRUE(applied->rows.empty());
}

TEST(Txn, RegistersNodeServiceAndCheckTogether) {
  Scenario s;
  TxnNode node;
  node.node.name = "n1";
  node.node.address = "10.0.0.1";
  TxnService service;
  service.node = "n1";
  service.service.name = "web";
  TxnCheck check;
  check.check.node = "n1";
  check.check.id = "c";
  check.check.service_id = "web";
  check.check.status = "passing";
  const auto result = s.apply(TxnCommand{{node, service, check}});
  ASSERT_TRUE(result.applied);
  EXPECT_EQ(result.results.size(), 3U);
  EXPECT_EQ(s.state.instances("web").front().checks.size(), 1U);
  service.verb = TxnVerb::cas;
  service.service.modify_index = result.index + 5;
  node.verb = TxnVerb::remove_cas;
  check.verb = TxnVerb::get;
  check.check.id = "absent";
  const auto failed = s.apply(TxnCommand{{service, node, check}});
  ASSERT_EQ(failed.errors.size(), 3U);
  EXPECT_EQ(failed.errors[0].what, "failed to set service \"web\" on node \"n1\", index is stale");
  EXPECT_EQ(failed.errors[1].what, "failed to delete node \"n1\", index is stale");
  EXPECT_EQ(failed.errors[2].what, "check \"absent\" on node \"n1\" doesn't exist");
}

}  // namespace
}  // namespace devstack::registry
