#include <gmock/gmock.h>

#include "scenario.h"

namespace devstack::registry {
namespace {

TEST(Kv, KeysAreBytesInByteOrder) {
  Scenario s;
  const std::string nul("a\0b", 3);
  for (const auto& key : {std::string("a\xff"), std::string("a/1"), nul, std::string("A"), std::string("b")})
    s.put(key);
  std::vector<std::string> keys;
  for (const auto& entry : s.state.kv_prefix("a")) keys.push_back(entry->key);
  EXPECT_EQ(keys, (std::vector<std::string>{nul, "a/1", "a\xff"}));
  EXPECT_EQ(s.state.kv("a"), nullptr);
}

TEST(Kv, APlainPutKeepsTheSessionAndResetsLockIndexAndFlags) {
  Scenario s;
  s.node("n1");
  s.session("s1");
  s.put("k", "v", 7);
  ASSERT_TRUE(s.acquire("k", "s1"));
  ASSERT_EQ(s.state.kv("k")->lock_index, 1U);
  s.put("k", "w");
  const auto entry = s.state.kv("k");
  EXPECT_EQ(entry->session, "s1");
  EXPECT_EQ(entry->lock_index, 0U);
  EXPECT_EQ(entry->flags, 0U);
  EXPECT_EQ(entry->create_index, 4U);
}

TEST(Kv, FlagsAreFull64Bits) {
  Scenario s;
  s.put("k", "v", 0xe0f69a2baa414de0ULL);
  EXPECT_EQ(s.state.kv("k")->flags, 0xe0f69a2baa414de0ULL);
}

TEST(Kv, CasZeroOnlyCreates) {
  Scenario s;
  EXPECT_TRUE(s.cas("k", 0).applied);
  EXPECT_FALSE(s.cas("k", 0, "other").applied);
  EXPECT_EQ(s.state.kv("k")->value, "v");
}

TEST(Kv, CasNeedsTheModifyIndexAndFailsOnAnAbsentKey) {
  Scenario s;
  EXPECT_FALSE(s.cas("k", 5).applied);
  EXPECT_EQ(s.state.kv("k"), nullptr);
  const auto index = s.put("k").index;
  EXPECT_FALSE(s.cas("k", index + 1, "w").applied);
  EXPECT_TRUE(s.last.empty());
  EXPECT_TRUE(s.cas("k", index, "w").applied);
  EXPECT_EQ(s.state.kv("k")->value, "w");
}

TEST(Kv, DeleteWithCasIsTrueForAnAbsentKeyAndFalseForAStaleIndex) {
  Scenario s;
  EXPECT_TRUE(s.apply(KvDeleteCommand{"absent", false, 9}).applied);
  const auto index = s.put("k").index;
  EXPECT_FALSE(s.apply(KvDeleteCommand{"k", false, index - 1}).applied);
  EXPECT_NE(s.state.kv("k"), nullptr);
  EXPECT_TRUE(s.apply(KvDeleteCommand{"k", false, index}).applied);
  EXPECT_EQ(s.state.kv("k"), nullptr);
}

TEST(Kv, DeletingATreeTakesTheStringPrefix) {
  Scenario s;
  for (const auto* key : {"a", "a/1", "ab", "b"}) s.put(key);
  s.remove_tree("a");
  ASSERT_EQ(s.state.kv_prefix("").size(), 1U);
  EXPECT_EQ(s.state.kv_prefix("").front()->key, "b");
  s.remove_tree("");
  EXPECT_TRUE(s.state.kv_prefix("").empty());
}

TEST(Kv, SeedingLeavesAnExistingKeyAlone) {
  Scenario s;
  KvSetCommand seed;
  seed.key = "k";
  seed.value = "seed";
  seed.only_if_absent = true;
  EXPECT_TRUE(s.apply(seed).applied);
  s.put("k", "mine");
  EXPECT_FALSE(s.apply(seed).applied);
  EXPECT_EQ(s.state.kv("k")->value, "mine");
}

// --- Locks ---

struct Locks : testing::Test, Scenario {
  Locks() {
    node("n1");
    session("s1");
    session("s2");
  }
};

TEST_F(Locks, LockIndexCountsFreshAcquisitionsOnly) {
  EXPECT_TRUE(acquire("k", "s1"));
  EXPECT_EQ(state.kv("k")->lock_index, 1U);
  const auto modified = state.kv("k")->modify_index;
  EXPECT_TRUE(acquire("k", "s1"));
  EXPECT_EQ(state.kv("k")->lock_index, 1U);
  EXPECT_EQ(state.kv("k")->modify_index, modified);
  EXPECT_TRUE(acquire("k", "s1", "other"));
  EXPECT_EQ(state.kv("k")->lock_index, 1U);
  EXPECT_GT(state.kv("k")->modify_index, modified);
  EXPECT_TRUE(release("k", "s1"));
  EXPECT_TRUE(acquire("k", "s2"));
  EXPECT_EQ(state.kv("k")->lock_index, 2U);
}

TEST_F(Locks, AKeyHeldByAnotherIsRefusedWithoutAnError) {
  ASSERT_TRUE(acquire("k", "s1", "mine"));
  EXPECT_FALSE(acquire("k", "s2", "theirs"));
  EXPECT_FALSE(release("k", "s2", "theirs"));
  EXPECT_EQ(state.kv("k")->value, "mine");
  EXPECT_EQ(state.kv("k")->session, "s1");
}

TEST_F(Locks, ReleaseWritesValueAndKeepsLockIndex) {
  ASSERT_TRUE(acquire("k", "s1", "a"));
  EXPECT_TRUE(release("k", "s1", "b"));
  EXPECT_EQ(state.kv("k")->value, "b");
  EXPECT_EQ(state.kv("k")->session, "");
  EXPECT_EQ(state.kv("k")->lock_index, 1U);
  EXPECT_FALSE(release("k", "s1"));
  EXPECT_FALSE(release("absent", "s1"));
}

TEST_F(Locks, AreAdvisory) {
  ASSERT_TRUE(acquire("k", "s1"));
  put("k", "by anyone");
  EXPECT_EQ(state.kv("k")->value, "by anyone");
  EXPECT_TRUE(remove("k"));
}

TEST_F(Locks, UnknownAndEmptySessionsAreErrors) {
  KvSetCommand command;
  command.key = "k";
  command.acquire = "nobody";
  EXPECT_EQ(error_of(command), "raft apply failed: invalid session \"nobody\"");
  command.acquire = "";
  EXPECT_EQ(error_of(command), "raft apply failed: missing session");
}

TEST_F(Locks, TheEndOfASessionReleasesItsKeys) {
  ASSERT_TRUE(acquire("k", "s1", "kept"));
  const auto modified = state.kv("k")->modify_index;
  apply(SessionDestroyCommand{"s1"});
  EXPECT_TRUE(woke(Table::kv_key, "k"));
  EXPECT_EQ(state.kv("k")->session, "");
  EXPECT_EQ(state.kv("k")->value, "kept");
  EXPECT_GT(state.kv("k")->modify_index, modified);
}

TEST_F(Locks, TheEndOfADeletingSessionRemovesItsKeys) {
  session("s3", "n1", Session::Behavior::remove);
  ASSERT_TRUE(acquire("k", "s3"));
  ASSERT_TRUE(acquire("given/back", "s3"));
  ASSERT_TRUE(release("given/back", "s3"));
  apply(SessionDestroyCommand{"s3"});
  EXPECT_EQ(state.kv("k"), nullptr);
  EXPECT_NE(state.kv("given/back"), nullptr);
}

TEST_F(Locks, LockDelayFollowsInvalidationAndEndsInTime) {
  ASSERT_TRUE(acquire("k", "s1"));
  apply(SessionDestroyCommand{"s1"});
  EXPECT_FALSE(acquire("k", "s2"));
  now += std::chrono::seconds(14);
  EXPECT_FALSE(acquire("k", "s2"));
  now += std::chrono::seconds(2);
  EXPECT_TRUE(acquire("k", "s2"));
}

TEST_F(Locks, LockDelayDoesNotFollowAReleaseAndIsCappedAtAMinute) {
  ASSERT_TRUE(acquire("k", "s1"));
  ASSERT_TRUE(release("k", "s1"));
  EXPECT_TRUE(acquire("k", "s2"));
  SessionCreateCommand create;
  create.session.id = "slow";
  create.session.node = "n1";
  create.session.lock_delay = std::chrono::hours(1);
  apply(create);
  ASSERT_TRUE(acquire("long", "slow"));
  apply(SessionDestroyCommand{"slow"});
  now += std::chrono::seconds(59);
  EXPECT_FALSE(acquire("long", "s2"));
  now += std::chrono::seconds(2);
  EXPECT_TRUE(acquire("long", "s2"));
}

TEST_F(Locks, ASessionWithoutLockDelayFreesItsKeysAtOnce) {
  SessionCreateCommand create;
  create.session.id = "quick";
  create.session.node = "n1";
  create.session.lock_delay = std::chrono::nanoseconds(0);
  apply(create);
  ASSERT_TRUE(acquire("k", "quick"));
  apply(SessionDestroyCommand{"quick"});
  EXPECT_TRUE(acquire("k", "s2"));
}

// --- Sessions ---

TEST_F(Locks, ASessionNeedsItsNodeAndItsChecksAlive) {
  SessionCreateCommand create;
  create.session.id = "x";
  create.session.node = "nowhere";
  EXPECT_EQ(error_of(create), "apply failed: Missing node registration");
  create.session.node = "n1";
  create.session.node_checks = {"disk"};
  EXPECT_EQ(error_of(create), "apply failed: Missing check 'disk' registration");
  check("n1", "disk", "critical");
  EXPECT_EQ(error_of(create), "apply failed: Check 'disk' is in critical state");
  set_check("n1", "disk", "warning");
  apply(create);
  EXPECT_NE(state.session("x"), nullptr);
}

TEST_F(Locks, ASessionEndsWhenALinkedCheckTurnsCriticalOrGoes) {
  check("n1", "disk", "passing");
  check("n1", "cpu", "passing");
  session("a", "n1", Session::Behavior::release, {"disk", "cpu"});
  session("b", "n1", Session::Behavior::release, {"cpu"});
  ASSERT_TRUE(acquire("k", "a"));
  set_check("n1", "disk", "warning");
  EXPECT_NE(state.session("a"), nullptr);
  set_check("n1", "disk", "critical");
  EXPECT_EQ(state.session("a"), nullptr);
  EXPECT_EQ(state.kv("k")->session, "");
  EXPECT_NE(state.session("b"), nullptr);
  apply(DeregisterCommand{"n1", "", "cpu"});
  EXPECT_EQ(state.session("b"), nullptr);
  EXPECT_NE(state.session("s1"), nullptr);
}

TEST_F(Locks, ASessionEndsWithItsNodeAndTakesItsQueries) {
  QuerySetCommand query;
  query.query.id = "q-1";
  query.query.session = "s1";
  apply(query);
  apply(DeregisterCommand{"n1", "", ""});
  EXPECT_TRUE(state.sessions().empty());
  EXPECT_TRUE(state.queries().empty());
}

}  // namespace
}  // namespace devstack::registry
