#include "core/base/persistent_hash.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/base/persistent_directory.h"

namespace devstack {
namespace {

using Model = std::map<std::string, std::uint64_t>;

/// Many keys share a hash, and hashes share their low bits.
struct PoorHash {
  std::uint64_t operator()(std::string_view text) const { return TextHash{}(text) % 7 << 40U | text.size() % 3; }
};

std::string random_key(std::mt19937& random) { return "key-" + std::to_string(random() % 3000); }

template <class Map>
void expect_same(const Map& map, const Model& model) {
  ASSERT_EQ(map.size(), model.size());
  Model seen;
  map.for_each([&](std::string_view key, std::uint64_t value) { seen.emplace(key, value); });
  ASSERT_EQ(seen, model);
}

template <class Map>
class PersistentHashOf : public ::testing::Test {};
using Hashes = ::testing::Types<TextHash, PoorHash>;
TYPED_TEST_SUITE(PersistentHashOf, Hashes);

TYPED_TEST(PersistentHashOf, BehavesAsStdMapUnderRandomChanges) {
  std::mt19937 random(5);
  PersistentHash<std::string, std::uint64_t, TypeParam> map;
  Model model;
  std::vector<std::pair<decltype(map), Model>> copies;
  for (std::uint64_t step = 1; step <= 6000; ++step) {
    const auto key = random_key(random);
    if (random() % 3 == 0) {
      ASSERT_EQ(map.erase(key), model.erase(key) == 1);
    } else {
      ASSERT_EQ(map.set(key, step), !model.contains(key));
      model[key] = step;
    }
    const auto probe = random_key(random);
    const auto* value = map.find(std::string_view(probe));
    ASSERT_EQ(value != nullptr, model.contains(probe));
    if (value != nullptr) {
      ASSERT_EQ(*value, model[probe]);
    }
    if (step % 600 == 0) copies.emplace_back(map, model);
  }
  for (const auto& [copy, expected] : copies) expect_same(copy, expected);
  while (!model.empty()) {
    ASSERT_TRUE(map.erase(model.begin()->first));
    model.erase(model.begin());
  }
  EXPECT_TRUE(map.empty());
  EXPECT_TRUE(map.same_as({}));
}

/// What differs, by comparing all there is.
using Changes = std::map<std::string, std::pair<std::optional<std::uint64_t>, std::optional<std::uint64_t>>>;

template <class Map>
Changes changes_between(const Map& before, const Map& after) {
  Changes out;
  const auto value = [](const std::uint64_t* at) { return at == nullptr ? std::nullopt : std::optional(*at); };
  Map::for_each_change(before, after, [&](const std::string& key, const std::uint64_t* was, const std::uint64_t* now) {
    EXPECT_TRUE(out.emplace(key, std::pair(value(was), value(now))).second) << key << " was told twice";
  });
  return out;
}

TYPED_TEST(PersistentHashOf, TellsTheChangesThatAComparisonOfAllFinds) {
  using Map = PersistentHash<std::string, std::uint64_t, TypeParam>;
  std::mt19937 random(11);
  Map map;
  Model model;
  std::vector<std::pair<Map, Model>> past{{map, model}};
  for (int round = 0; round < 60; ++round) {
    for (auto steps = random() % 60; steps > 0; --steps) {
      const auto key = "key-" + std::to_string(random() % 300);
      if (random() % 2 == 0) {
        map.erase(key);
        model.erase(key);
      } else {
        model[key] = random() % 3;  // often what it was
        map.set(key, model[key]);
      }
    }
    past.emplace_back(map, model);
    const auto& [other, other_model] = past[random() % past.size()];
    Changes expected;
    for (const auto& [key, was] : other_model) {
      const auto now = model.find(key);
      if (now == model.end()) {
        expected[key] = {was, std::nullopt};
      } else if (now->second != was) {
        expected[key] = {was, now->second};
      }
    }
    for (const auto& [key, now] : model) {
      if (!other_model.contains(key)) expected[key] = {std::nullopt, now};
    }
    ASSERT_EQ(changes_between(other, map), expected);
    for (auto& [key, change] : expected) std::swap(change.first, change.second);
    ASSERT_EQ(changes_between(map, other), expected);
  }
}

TEST(PersistentHash, PassesOverWhatTwoCopiesShareWhenItTellsTheirChanges) {
  struct Counted {
    int value;
    int* comparisons;
    bool operator==(const Counted& other) const {
      ++*comparisons;
      return value == other.value;
    }
  };
  int comparisons = 0;
  PersistentHash<std::string, Counted> before;
  for (int i = 0; i < 10000; ++i) before.set(std::to_string(i), {i, &comparisons});
  auto after = before;
  after.set("77", {-1, &comparisons});
  after.erase("4711");
  after.set("new", {1, &comparisons});
  std::map<std::string, int> told;
  const auto note = [&](const std::string& key, const Counted* was, const Counted* now) {
    told[key] = (was != nullptr ? 1 : 0) + (now != nullptr ? 2 : 0);
  };
  decltype(before)::for_each_change(before, after, note);
  EXPECT_EQ(told, (std::map<std::string, int>{{"4711", 1}, {"77", 3}, {"new", 2}}));
  EXPECT_LE(comparisons, 3);
}

TEST(PersistentHash, HasOneShapeWhateverWayItsContentCame) {
  PersistentHash<std::string, int> grown, shrunk;
  for (int i = 0; i < 2000; ++i) shrunk.set(std::to_string(i), i);
  for (int i = 3; i < 2000; ++i) shrunk.erase(std::to_string(i));
  for (int i = 0; i < 3; ++i) grown.set(std::to_string(i), i);
  EXPECT_EQ(shrunk.height(), grown.height());
  EXPECT_LE(grown.height(), 3);
}

TEST(PersistentHash, StaysFlat) {
  PersistentHash<std::string, int> map;
  for (int i = 0; i < 100000; ++i) map.set(std::to_string(i), i);
  EXPECT_LE(map.height(), 10);
  EXPECT_EQ(*map.find("77777"), 77777);
}

TEST(PersistentHash, KeepsAllKeysOfOneHash) {
  struct OneHash {
    std::uint64_t operator()(int) const { return 42; }
  };
  struct Never {
    bool operator()(int, int) const { return false; }
  };
  // Without comparison every set() adds, at the cost of a copy of the chain.
  PersistentHash<int, int, OneHash, Never> map;
  for (int i = 0; i < 500; ++i) map.set(i, i);
  const auto copy = map;
  map = {};
  EXPECT_EQ(copy.size(), 500U);
  int count = 0;
  copy.for_each([&](int, int) { ++count; });
  EXPECT_EQ(count, 500);
}

TEST(PersistentHash, ErasingWhatIsNotThereChangesNothing) {
  PersistentHash<std::string, int> map;
  map.set("a", 1);
  const auto before = map;
  EXPECT_FALSE(map.erase("b"));
  EXPECT_TRUE(map.same_as(before));
}

TEST(PersistentDirectory, FindsAndWalksInOrderAsStdMapDoes) {
  std::mt19937 random(9);
  PersistentDirectory<std::uint64_t> directory;
  Model model;
  for (std::uint64_t step = 1; step <= 5000; ++step) {
    const auto key = random_key(random);
    if (random() % 3 == 0) {
      ASSERT_EQ(directory.erase(key), model.erase(key) == 1);
    } else {
      directory.set(key, step);
      model[key] = step;
    }
    if (step % 250 != 0) continue;
    ASSERT_EQ(directory.size(), model.size());
    std::vector<std::pair<std::string, std::uint64_t>> all, some;
    directory.for_each([&](const std::string& k, std::uint64_t v) { all.emplace_back(k, v); });
    ASSERT_EQ(all, decltype(all)(model.begin(), model.end()));
    const auto prefix = key.substr(0, 5);
    directory.for_each_in(PrefixRange(prefix), [&](const std::string& k, std::uint64_t v) { some.emplace_back(k, v); });
    std::erase_if(all, [&](const auto& entry) { return !entry.first.starts_with(prefix); });
    ASSERT_EQ(some, all);
  }
}

}  // namespace
}  // namespace devstack
