#include "core/base/persistent_map.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <string>

namespace devstack {
namespace {

struct MaxOf {
  using type = std::uint64_t;
  template <class Key>
  static type of(const Key&, std::uint64_t value) {
    return value;
  }
  static type combine(type a, type b) { return std::max(a, b); }
  static type none() { return 0; }
};
using Map = PersistentMap<std::string, std::uint64_t, MaxOf>;
using Model = std::map<std::string, std::uint64_t>;

std::string random_key(std::mt19937& random) {
  static constexpr std::string_view letters = "ab/\xff";
  std::string key;
  const auto length = random() % 7;
  for (unsigned i = 0; i < length; ++i) key += letters[random() % letters.size()];
  return key;
}

void expect_same(const Map& map, const Model& model) {
  ASSERT_EQ(map.size(), model.size());
  auto expected = model.begin();
  for (const auto& [key, value] : map) {
    ASSERT_EQ(key, expected->first);
    ASSERT_EQ(value, expected->second);
    ++expected;
  }
}

TEST(PersistentMap, BehavesAsStdMapUnderRandomChanges) {
  std::mt19937 random(7);
  Map map;
  Model model;
  for (std::uint64_t step = 1; step <= 20000; ++step) {
    const auto key = random_key(random);
    if (random() % 3 == 0) {
      ASSERT_EQ(map.erase(key), model.erase(key) == 1);
    } else {
      map.set(key, step);
      model[key] = step;
    }
    const auto probe = random_key(random);
    const auto found = model.find(probe);
    const auto* value = map.find(probe);
    ASSERT_EQ(value != nullptr, found != model.end());
    if (value != nullptr) {
      ASSERT_EQ(*value, found->second);
    }
    const auto lower = map.lower_bound(probe);
    const auto lower_expected = model.lower_bound(probe);
    ASSERT_EQ(lower == map.end(), lower_expected == model.end());
    if (lower_expected != model.end()) {
      ASSERT_EQ(lower->first, lower_expected->first);
    }
    if (step % 500 == 0) expect_same(map, model);
  }
}

TEST(PersistentMap, MeasuresAndWalksAnyPrefixAsAScanDoes) {
  std::mt19937 random(11);
  Map map;
  Model model;
  for (std::uint64_t step = 1; step <= 5000; ++step) {
    const auto key = random_key(random);
    if (random() % 4 == 0) {
      map.erase(key);
      model.erase(key);
    } else {
      const std::uint64_t value = random();
      map.set(key, value);
      model[key] = value;
    }
    auto prefix = random_key(random);
    prefix.resize(prefix.size() / 2);
    std::uint64_t highest = 0;
    std::vector<std::string> keys, walked;
    for (const auto& [k, v] : model) {
      if (!k.starts_with(prefix)) continue;
      highest = std::max(highest, v);
      keys.push_back(k);
    }
    map.for_each_in(PrefixRange(prefix), [&](const std::string& k, std::uint64_t) { walked.push_back(k); });
    ASSERT_EQ(map.measure(PrefixRange(prefix)), highest) << prefix;
    ASSERT_EQ(walked, keys) << prefix;
  }
}

TEST(PersistentMap, ACopyKeepsItsContentWhenTheOriginalChanges) {
  std::mt19937 random(3);
  Map map;
  Model model;
  std::vector<std::pair<Map, Model>> copies;
  for (std::uint64_t step = 0; step < 2000; ++step) {
    const auto key = random_key(random);
    if (random() % 3 == 0) {
      map.erase(key);
      model.erase(key);
    } else {
      map.set(key, step);
      model[key] = step;
    }
    if (step % 100 == 0) copies.emplace_back(map, model);
  }
  for (const auto& [copy, expected] : copies) expect_same(copy, expected);
}

TEST(PersistentMap, StaysBalancedWhenKeysComeInOrder) {
  PersistentMap<int, int> map;
  for (int i = 0; i < 10000; ++i) map.set(i, i);
  EXPECT_LE(map.height(), 1.45 * std::log2(10002));
  for (int i = 0; i < 9000; ++i) map.erase(i);
  EXPECT_LE(map.height(), 1.45 * std::log2(1002));
  EXPECT_EQ(map.begin()->first, 9000);
}

TEST(PersistentMap, AVisitThatReturnsFalseEndsTheWalk) {
  PersistentMap<std::string, int> map;
  for (const auto* key : {"a", "b1", "b2", "b3", "c"}) map.set(key, 0);
  std::vector<std::string> seen;
  map.for_each_in(PrefixRange("b"), [&](const std::string& key, int) {
    seen.push_back(key);
    return seen.size() < 2;
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"b1", "b2"}));
}

TEST(PersistentMap, ErasingWhatIsNotThereChangesNothing) {
  PersistentMap<std::string, int> map;
  map.set("a", 1);
  const auto before = map;
  EXPECT_FALSE(map.erase("b"));
  EXPECT_TRUE(map.same_as(before));
}

}  // namespace
}  // namespace devstack
