#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <new>
#include <string_view>
#include <utility>

/// An unordered map whose copies share structure, for exact lookups: a hash trie of sixteen ways (Bagwell, "Ideal Hash
/// Trees", 2001), kept in the one shape its content has (Steindorfer and Vinju's CHAMP, 2015). Copying is one pointer.
/// A lookup compares one key, and it and a change visit log16(n) branches: neither grows noticeably with the content.
/// Where order is wanted stands PersistentMap; PersistentDirectory is both.
///
/// Copies may be read from any thread; one object is changed by one thread at a time. What `find` points to is valid
/// while a copy of the map it came from lives.
namespace devstack {

struct TextHash {
  std::uint64_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

template <class Key, class Value, class Hash = TextHash, class Equal = std::equal_to<>>
class PersistentHash {
  struct Leaf;
  struct Branch;
  using Bits = std::uint32_t;
  static constexpr unsigned way_bits = 4;

 public:
  using Entry = std::pair<const Key, Value>;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  /// Null when absent.
  template <class K>
  [[nodiscard]] const Value* find(const K& key) const {
    const std::uint64_t hash = Hash{}(key);
    const Link* at = &root_;
    for (std::uint64_t rest = hash; at->branch() != nullptr; rest >>= way_bits) {
      at = at->branch()->child(bit_of(rest));
      if (at == nullptr) return nullptr;
    }
    for (const Leaf* leaf = at->leaf(); leaf != nullptr && leaf->hash == hash; leaf = leaf->next.leaf()) {
      if (Equal{}(leaf->entry.first, key)) return &leaf->entry.second;
    }
    return nullptr;
  }
  template <class K>
  [[nodiscard]] bool contains(const K& key) const {
    return find(key) != nullptr;
  }

  /// Inserts or replaces; true when the key is new.
  bool set(Key key, Value value) {
    const std::uint64_t hash = Hash{}(key);
    bool added = true;
    root_ = inserted(root_, hash, 0, Entry(std::move(key), std::move(value)), added);
    if (added) ++size_;
    return added;
  }
  /// False when it was not there.
  template <class K>
  bool erase(const K& key) {
    if (!contains(key)) return false;
    root_ = removed(root_, Hash{}(key), 0, key);
    --size_;
    return true;
  }

  /// Calls `visit(key, value)` for every entry, in no useful order.
  template <class Visit>
  void for_each(const Visit& visit) const {
    walk(root_, visit);
  }

  /// Calls `visit(key, was, now)` for every key whose values differ (by ==), in no useful order; the pointer is null
  /// where the key is absent. Passes over what the two share, so a later copy costs what was changed in it since.
  template <class Visit>
  static void for_each_change(const PersistentHash& before, const PersistentHash& after, const Visit& visit) {
    compare(before.root_, after.root_, 0, visit);
  }

  /// True when both are the same trie: a cheap "certainly equal".
  [[nodiscard]] bool same_as(const PersistentHash& other) const { return root_ == other.root_; }
  /// Branches on the longest way to an entry (tests).
  [[nodiscard]] int height() const { return height(root_); }

 private:
  struct Counted {
    mutable std::atomic<std::uint32_t> users{1};
  };

  /// Owns a share of a leaf or of a branch, or nothing. The lowest bit of the address tells which.
  class Link {
   public:
    Link() = default;
    /// Takes over the share that a new node begins with.
    explicit Link(Leaf* fresh) : bits_(reinterpret_cast<std::uintptr_t>(fresh)) {}
    explicit Link(Branch* fresh) : bits_(reinterpret_cast<std::uintptr_t>(fresh) | 1U) {}
    Link(const Link& other) noexcept : bits_(other.bits_) {
      if (bits_ != 0) counted()->users.fetch_add(1, std::memory_order_relaxed);
    }
    Link(Link&& other) noexcept : bits_(std::exchange(other.bits_, 0)) {}
    Link& operator=(Link other) noexcept {
      std::swap(bits_, other.bits_);
      return *this;
    }
    ~Link() {
      if (bits_ != 0 && counted()->users.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
    }

    explicit operator bool() const { return bits_ != 0; }
    friend bool operator==(const Link& a, const Link& b) { return a.bits_ == b.bits_; }
    /// Null when it is the other one, or nothing.
    [[nodiscard]] const Branch* branch() const {
      return (bits_ & 1U) != 0 ? reinterpret_cast<const Branch*>(bits_ - 1U) : nullptr;
    }
    [[nodiscard]] const Leaf* leaf() const {
      return (bits_ & 1U) == 0 ? reinterpret_cast<const Leaf*>(bits_) : nullptr;
    }

   private:
    friend class PersistentHash;
    [[nodiscard]] const Counted* counted() const {
      return branch() != nullptr ? static_cast<const Counted*>(branch()) : leaf();
    }
    /// Asks for the children's counts all at once: each is a line of memory of its own, and to count waits for it.
    static void fetch_counts(const Branch& node) {
      const Link* child = node.children();
      for (auto left = std::popcount(node.used); left > 0; --left) __builtin_prefetch((child++)->counted(), 1);
    }
    void destroy() {
      if (const Branch* node = branch()) {
        Link* child = node->children();
        fetch_counts(*node);
        for (auto left = std::popcount(node->used); left > 0; --left) (child++)->~Link();
        node->~Branch();
        ::operator delete(const_cast<Branch*>(node));
        return;
      }
      // Not by recursion: somebody may have chosen many keys of one hash.
      for (const Leaf* node = leaf(); node != nullptr;) {
        auto& next = const_cast<Leaf*>(node)->next;
        const bool last = next && next.counted()->users.fetch_sub(1, std::memory_order_acq_rel) == 1;
        const Leaf* after = last ? next.leaf() : nullptr;
        next.bits_ = 0;
        delete std::exchange(node, after);
      }
    }
    std::uintptr_t bits_ = 0;
  };

  /// `next`: an entry of another key with the very same hash.
  struct Leaf : Counted {
    Leaf(std::uint64_t h, Entry e, Link n) : hash(h), entry(std::move(e)), next(std::move(n)) {}
    const std::uint64_t hash;
    const Entry entry;
    Link next;
  };

  /// The children that exist lie behind the object, in the order of their ways.
  struct alignas(Link) Branch : Counted {
    explicit Branch(Bits ways) : used(ways) {}
    [[nodiscard]] Link* children() const { return reinterpret_cast<Link*>(const_cast<Branch*>(this) + 1); }
    [[nodiscard]] const Link* child(Bits way) const {
      return (used & way) != 0 ? children() + std::popcount(used & (way - 1)) : nullptr;
    }
    const Bits used;  ///< one bit for each way that has a child
  };

  static Bits bit_of(std::uint64_t rest) { return Bits{1} << (rest & ((1U << way_bits) - 1)); }

  /// As `from` (null: as nothing), but with this child at `way`, or without one.
  static Link edited(const Branch* from, Bits way, Link child) {
    const Bits before = from == nullptr ? 0 : from->used;
    const Bits after = child ? before | way : before & ~way;
    void* space = ::operator new(sizeof(Branch) + static_cast<std::size_t>(std::popcount(after)) * sizeof(Link));
    auto* made = new (space) Branch(after);
    if (from != nullptr) Link::fetch_counts(*from);
    const Link* old = from == nullptr ? nullptr : from->children();
    Link* to = made->children();
    for (Bits left = before | way; left != 0; left &= left - 1) {
      const Bits one = left & (~left + 1);
      if (one != way) {
        new (to++) Link(*old);
      } else if (child) {
        new (to++) Link(std::move(child));
      }
      if ((before & one) != 0) ++old;
    }
    return Link(made);
  }

  static Link inserted(const Link& at, std::uint64_t hash, unsigned shift, Entry&& entry, bool& added) {
    if (const Branch* branch = at.branch()) {
      const Bits way = bit_of(hash >> shift);
      const Link* child = branch->child(way);
      return edited(branch, way,
                    inserted(child == nullptr ? Link() : *child, hash, shift + way_bits, std::move(entry), added));
    }
    const Leaf* leaf = at.leaf();
    if (leaf != nullptr && leaf->hash != hash) {
      const Link split = edited(nullptr, bit_of(leaf->hash >> shift), at);
      return inserted(split, hash, shift, std::move(entry), added);
    }
    auto others = without(at, entry.first, added);
    return Link(new Leaf(hash, std::move(entry), std::move(others)));
  }

  /// The entries of one hash but for one key; `missing` becomes false when it was there.
  template <class K>
  static Link without(const Link& chain, const K& key, bool& missing) {
    Link others;
    for (const Leaf* leaf = chain.leaf(); leaf != nullptr; leaf = leaf->next.leaf()) {
      if (Equal{}(leaf->entry.first, key)) {
        missing = false;
      } else {
        others = Link(new Leaf(leaf->hash, leaf->entry, std::move(others)));
      }
    }
    return others;
  }

  template <class K>
  static Link removed(const Link& at, std::uint64_t hash, unsigned shift, const K& key) {
    const Branch* branch = at.branch();
    if (branch == nullptr) {
      bool missing = true;
      return without(at, key, missing);
    }
    const Bits way = bit_of(hash >> shift);
    auto child = removed(*branch->child(way), hash, shift + way_bits, key);
    // A branch that would lead to one leaf only gives way to that leaf.
    const Bits others = branch->used & ~way;
    if (others == 0 && child.leaf() != nullptr) return child;
    if (!child && std::popcount(others) == 1 && branch->child(others)->leaf() != nullptr) return *branch->child(others);
    return edited(branch, way, std::move(child));
  }

  template <class Visit>
  static void walk(const Link& at, const Visit& visit) {
    if (const Branch* branch = at.branch()) {
      const Link* child = branch->children();
      for (auto left = std::popcount(branch->used); left > 0; --left) walk(*child++, visit);
      return;
    }
    for (const Leaf* leaf = at.leaf(); leaf != nullptr; leaf = leaf->next.leaf()) {
      visit(leaf->entry.first, leaf->entry.second);
    }
  }

  /// A leaf, with the others of its hash, counts as a branch that leads to it alone.
  static Bits ways_of(const Link& at, unsigned shift) {
    if (const Branch* branch = at.branch()) return branch->used;
    return at ? bit_of(at.leaf()->hash >> shift) : 0;
  }
  static const Link& way_down(const Link& at, Bits way, unsigned shift) {
    static const Link nothing;
    if ((ways_of(at, shift) & way) == 0) return nothing;
    return at.branch() != nullptr ? *at.branch()->child(way) : at;
  }
  static const Value* value_in(const Link& chain, std::uint64_t hash, const Key& key) {
    for (const Leaf* leaf = chain.leaf(); leaf != nullptr && leaf->hash == hash; leaf = leaf->next.leaf()) {
      if (Equal{}(leaf->entry.first, key)) return &leaf->entry.second;
    }
    return nullptr;
  }
  template <class Visit>
  static void compare(const Link& before, const Link& after, unsigned shift, const Visit& visit) {
    if (before == after) return;
    if (before.branch() == nullptr && after.branch() == nullptr) return compare_chains(before, after, visit);
    for (Bits left = ways_of(before, shift) | ways_of(after, shift); left != 0; left &= left - 1) {
      const Bits one = left & (~left + 1);
      compare(way_down(before, one, shift), way_down(after, one, shift), shift + way_bits, visit);
    }
  }
  template <class Visit>
  static void compare_chains(const Link& before, const Link& after, const Visit& visit) {
    const Value* const absent = nullptr;
    for (const Leaf* was = before.leaf(); was != nullptr; was = was->next.leaf()) {
      const Value* now = value_in(after, was->hash, was->entry.first);
      if (now == nullptr || !(*now == was->entry.second)) visit(was->entry.first, &was->entry.second, now);
    }
    for (const Leaf* now = after.leaf(); now != nullptr; now = now->next.leaf()) {
      if (value_in(before, now->hash, now->entry.first) != nullptr) continue;
      visit(now->entry.first, absent, &now->entry.second);
    }
  }
  static int height(const Link& at) {
    const Branch* branch = at.branch();
    if (branch == nullptr) return 0;
    int most = 0;
    const Link* child = branch->children();
    for (auto left = std::popcount(branch->used); left > 0; --left) most = std::max(most, height(*child++));
    return most + 1;
  }

  Link root_;
  std::size_t size_ = 0;
};

}  // namespace devstack
