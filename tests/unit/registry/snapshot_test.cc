#include "core/registry/snapshot.h"

#include "tests/unit/registry/scenario.h"

namespace devstack::registry {
namespace {

/// One of everything.
Scenario full() {
  Scenario s;
  s.node("n1");
  s.service("n1", "web", "web-1", {"a", "b"});
  s.check("n1", "alive", "passing");
  s.check("n1", "http", "warning", "web-1");
  s.session("s1", "n1", Session::Behavior::remove, {"alive"});
  s.put("plain", std::string("\0\xff", 2), ~0ULL);
  s.put("gone/key");
  s.remove("gone/key");
  EXPECT_TRUE(s.acquire("locked", "s1"));
  QuerySetCommand query;
  query.query.id = "q1";
  query.query.name = "near";
  query.query.session = "s1";
  query.query.definition = "{}";
  s.apply(query);
  return s;
}

Result<RestoreCommand> round_trip(const State& state) { return decode_snapshot(encode_snapshot(state)); }

TEST(Snapshot, EncodesTheSameStateToTheSameBytesAfterARoundTrip) {
  const auto s = full();
  const auto restored = round_trip(s.state);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(encode_snapshot(State::restore(*restored->rows, 1)), encode_snapshot(s.state));
}

TEST(Snapshot, RestoresEverythingWithTheIndexesOfItsEntries) {
  auto s = full();
  const auto locked = s.state.kv("locked");
  const auto snapshot = round_trip(s.state);
  ASSERT_TRUE(snapshot);
  s.remove_tree("");
  s.put("new");
  s.apply(DeregisterCommand{"n1", "", ""});
  const auto before = s.state.index();
  s.apply(*snapshot);
  EXPECT_EQ(s.state.index(), before + 1);
  EXPECT_EQ(s.state.restored_at(), before + 1);
  EXPECT_EQ(s.state.kv("new"), nullptr);
  const auto again = s.state.kv("locked");
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(again->modify_index, locked->modify_index);
  EXPECT_EQ(again->lock_index, 1U);
  EXPECT_EQ(again->session, "s1");
  EXPECT_EQ(s.state.kv("plain")->flags, ~0ULL);
  EXPECT_EQ(s.state.instances("web").at(0).checks.size(), 2U);
  EXPECT_EQ(s.state.query_named("near")->session, "s1");
  // Linked as before: the check takes the session, the session its keys and its query.
  s.set_check("n1", "alive", "critical");
  EXPECT_EQ(s.state.session("s1"), nullptr);
  EXPECT_EQ(s.state.kv("locked"), nullptr);
  EXPECT_EQ(s.state.query("q1"), nullptr);
}

TEST(Snapshot, RestoreReleasesEveryWaiterAndLetsNoIndexSlideBack) {
  auto s = full();
  const auto snapshot = round_trip(s.state);
  ASSERT_TRUE(snapshot);
  s.put("plain", "later");
  const auto seen = s.index_of(Table::kv_key, "plain");
  s.apply(*snapshot);
  for (const auto table :
       {Table::nodes, Table::services, Table::checks, Table::sessions, Table::queries, Table::events})
    EXPECT_TRUE(s.woke(table));
  EXPECT_TRUE(s.woke(Table::kv_key, "plain"));
  EXPECT_TRUE(s.woke(Table::kv_prefix, "nothing/here"));
  EXPECT_TRUE(s.woke(Table::service, "web"));
  EXPECT_GT(s.index_of(Table::kv_key, "plain"), seen);
  EXPECT_LT(s.state.kv("plain")->modify_index, seen);
}

TEST(Snapshot, KeepsEventsAndEndsLockDelays) {
  auto s = full();
  const auto snapshot = round_trip(s.state);
  ASSERT_TRUE(snapshot);
  EventFireCommand event;
  event.event.name = "deploy";
  s.apply(event);
  s.apply(SessionDestroyCommand{"s1"});
  s.apply(*snapshot);
  ASSERT_EQ(s.state.events().size(), 1U);
  EXPECT_FALSE(s.state.lock_delayed_until("locked"));
}

TEST(Snapshot, RefusesWhatIsNotItsOwn) {
  EXPECT_EQ(decode_snapshot("").error().code, Errc::parse);
  EXPECT_NE(decode_snapshot("\x81msgpack of a Consul").error().message.find("not a devstack registry's"),
            std::string::npos);
  auto bytes = encode_snapshot(full().state);
  bytes[std::string_view("devstack registry\n").size()] = 2;
  EXPECT_EQ(decode_snapshot(bytes).error().message, "state.bin has version 2, this devstack knows 1");
}

TEST(Snapshot, RefusesEveryCutAndSurvivesEveryFlippedByte) {
  auto s = full();
  const auto bytes = encode_snapshot(s.state);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(decode_snapshot(std::string_view(bytes).substr(0, length))) << length;
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    const auto decoded = decode_snapshot(damaged);
    if (!decoded) continue;  // most are seen; what is not must be safe to carry out and to read
    const auto applied = s.state.apply(*decoded);
    ASSERT_TRUE(applied);
    for (const auto& [name, tags] : applied->state.services()) static_cast<void>(applied->state.instances(name));
    for (const auto& node : applied->state.nodes()) {
      static_cast<void>(applied->state.apply(DeregisterCommand{node->name, "", ""}));
    }
  }
}

TEST(Snapshot, TakesACheckWithoutIdFromARegistryOfBefore) {
  auto node = std::make_shared<Node>();
  node->name = "n1";
  auto nameless = std::make_shared<Check>();
  nameless->node = "n1";
  nameless->status = "passing";
  const auto decoded =
      round_trip(State::restore({Row{NodePtr(node), Row::Kind::put}, Row{CheckPtr(nameless), Row::Kind::put}}, 1));
  ASSERT_TRUE(decoded) << decoded.error().message;
  Scenario s;
  s.apply(*decoded);
  ASSERT_NE(s.state.check("n1", ""), nullptr);
  EXPECT_EQ(s.state.check("n1", "")->status, "passing");
}

TEST(Snapshot, RefusesAnEntryThatIsNewerThanItsRegistry) {
  auto node = std::make_shared<Node>();
  node->name = "n1";
  auto entry = std::make_shared<KvEntry>();
  entry->key = "k";
  const auto decoded_at = [&](Index node_index, Index kv_index, Index counter) {
    node->modify_index = node_index;
    entry->modify_index = kv_index;
    const auto decoded =
        round_trip(State::restore({Row{NodePtr(node), Row::Kind::put}, Row{KvPtr(entry), Row::Kind::put}}, counter));
    return decoded ? "accepted" : decoded.error().message;
  };
  const std::string refused = "state.bin does not add up: an entry is newer than its registry";
  EXPECT_EQ(decoded_at(7, 8, 8), "accepted");
  EXPECT_EQ(decoded_at(7, 9, 8), refused);
  EXPECT_EQ(decoded_at(~Index{0}, 8, 8), refused);
  EXPECT_EQ(decoded_at(7, ~Index{0}, ~Index{0}), refused);
}

TEST(Snapshot, RefusesRowsThatDoNotBelongTogether) {
  Scenario s;
  s.node("nowhere");
  s.service("nowhere", "web", "web-1");
  auto bytes = encode_snapshot(s.state);
  // The node's record comes first: its service then names a node that is not there.
  bytes.replace(bytes.find("nowhere"), 7, "another");
  const auto decoded = decode_snapshot(bytes);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().message, "state.bin does not add up: node \"nowhere\" is missing");
}

}  // namespace
}  // namespace devstack::registry
