#include "core/base/persistent_hash.h"

#include <gtest/gtest.h>

#include <map>
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
