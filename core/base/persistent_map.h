#pragma once

#include <algorithm>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// An ordered map whose copies share structure: copying is one pointer, a change copies the path to the root (O(log n))
/// and leaves every other copy as it was. It is an AVL tree with immutable nodes; the shape depends only on the order
/// of the changes. The entries are shared by the nodes of all copies, so that copying a path copies no key and no
/// value. Copies may be read from any thread; one object is changed by one thread at a time. In a large map it is the
/// misses of the processor's cache that cost: a node is one line of it, knows where the text of its key is, and both
/// its children are asked for before its key is compared.
///
/// A `Measure` makes a summary of every subtree, so that one over a range of keys costs O(log n). It has
///
///     using type = ...;                                    // copied freely
///     static type of(const Key&, const Value&);            // of one entry
///     static type combine(type, type);                     // associative
///     static type none();                                  // neutral
///
/// Ranges are given by a function `where(key)` that is negative for keys before the range, zero inside, positive after.
namespace devstack {

struct NoMeasure {
  struct type {};
  template <class Key, class Value>
  static type of(const Key&, const Value&) {
    return {};
  }
  static type combine(type, type) { return {}; }
  static type none() { return {}; }
};

/// `where` for the keys that start with `prefix`, bytewise.
class PrefixRange {
 public:
  explicit PrefixRange(std::string_view prefix) : prefix_(prefix) {}
  int operator()(std::string_view key) const { return key.substr(0, prefix_.size()).compare(prefix_); }

 private:
  std::string_view prefix_;
};

template <class Key, class Value, class Measure = NoMeasure, class Less = std::less<>>
class PersistentMap {
  struct Node;
  using Link = boost::intrusive_ptr<const Node>;

 public:
  using Entry = std::pair<const Key, Value>;

 private:
  struct Shared : boost::intrusive_ref_counter<Shared, boost::thread_safe_counter> {
    Shared(Key key, Value value) : entry(std::move(key), std::move(value)) {}
    const Entry entry;
  };
  using EntryPtr = boost::intrusive_ptr<const Shared>;
  /// A key as it is compared.
  using Seen = std::conditional_t<std::is_same_v<Key, std::string>, std::string_view, const Key*>;
  static std::string_view see(const std::string& key) { return key; }
  template <class K>
  static const K* see(const K& key) {
    return &key;
  }
  static std::string_view seen(std::string_view key) { return key; }
  static const Key& seen(const Key* key) { return *key; }

 public:
  using Summary = typename Measure::type;

  /// In key order; valid while a copy of the map it came from lives.
  class Iterator {
   public:
    const Entry& operator*() const { return path_.back()->entry->entry; }
    const Entry* operator->() const { return &path_.back()->entry->entry; }
    Iterator& operator++() {
      const Node* node = path_.back();
      path_.pop_back();
      descend(node->right.get());
      return *this;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) {
      if (a.path_.empty() || b.path_.empty()) return a.path_.empty() == b.path_.empty();
      return a.path_.back() == b.path_.back();
    }

   private:
    friend class PersistentMap;
    void descend(const Node* node) {
      for (; node != nullptr; node = node->left.get()) path_.push_back(node);
    }
    std::vector<const Node*> path_;
  };

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return root_ == nullptr; }

  /// Null when absent.
  template <class K>
  [[nodiscard]] const Value* find(const K& key) const {
    const Node* node = root_.get();
    const Node* candidate = nullptr;
    // One comparison a level: the last key that is not less than `key`.
    while (node != nullptr) {
      node->fetch_children();
      if (Less{}(node->key(), key)) {
        node = node->right.get();
      } else {
        candidate = node;
        node = node->left.get();
      }
    }
    return candidate != nullptr && !Less{}(key, candidate->key()) ? &candidate->entry->entry.second : nullptr;
  }
  template <class K>
  [[nodiscard]] bool contains(const K& key) const {
    return find(key) != nullptr;
  }

  /// Inserts or replaces.
  void set(Key key, Value value) {
    bool added = false;
    root_ = insert(root_, std::move(key), std::move(value), added);
    if (added) ++size_;
  }
  /// False when it was not there.
  template <class K>
  bool erase(const K& key) {
    if (!contains(key)) return false;
    root_ = remove(root_, key);
    --size_;
    return true;
  }

  [[nodiscard]] Iterator begin() const {
    Iterator at;
    at.descend(root_.get());
    return at;
  }
  [[nodiscard]] Iterator end() const { return {}; }
  /// The first entry whose key is not less than `key`.
  template <class K>
  [[nodiscard]] Iterator lower_bound(const K& key) const {
    Iterator at;
    for (const Node* node = root_.get(); node != nullptr;) {
      node->fetch_children();
      if (Less{}(node->key(), key)) {
        node = node->right.get();
      } else {
        at.path_.push_back(node);
        node = node->left.get();
      }
    }
    return at;
  }

  /// Calls `visit(key, value)` for the entries of a range, in order. A visit that returns false ends it.
  template <class Where, class Visit>
  void for_each_in(const Where& where, const Visit& visit) const {
    walk(root_.get(), where, visit);
  }
  /// The summary of a range, or of everything.
  template <class Where>
  [[nodiscard]] Summary measure(const Where& where) const {
    const Node* node = root_.get();
    while (node != nullptr) {
      node->fetch_children();
      const int side = where(node->key());
      if (side == 0) break;
      node = side < 0 ? node->right.get() : node->left.get();
    }
    if (node == nullptr) return Measure::none();
    return Measure::combine(Measure::combine(measure_from(node->left.get(), where), node->own),
                            measure_to(node->right.get(), where));
  }
  [[nodiscard]] Summary measure() const { return total(root_.get()); }

  /// True when both are the same tree: a cheap "certainly equal".
  [[nodiscard]] bool same_as(const PersistentMap& other) const { return root_ == other.root_; }
  /// Levels of the tree (tests).
  [[nodiscard]] int height() const { return height(root_.get()); }

 private:
  struct Node : boost::intrusive_ref_counter<Node, boost::thread_safe_counter> {
    Node(EntryPtr e, Link l, Link r)
        : levels(1 + std::max(PersistentMap::height(l.get()), PersistentMap::height(r.get()))),
          entry(std::move(e)),
          left(std::move(l)),
          right(std::move(r)),
          seen_key(see(entry->entry.first)),
          own(Measure::of(entry->entry.first, entry->entry.second)),
          all(Measure::combine(Measure::combine(total(left.get()), own), total(right.get()))) {}
    [[nodiscard]] decltype(auto) key() const { return seen(seen_key); }
    void fetch_children() const {
      __builtin_prefetch(left.get());
      __builtin_prefetch(right.get());
    }
    int levels;
    EntryPtr entry;
    Link left, right;
    Seen seen_key;
    [[no_unique_address]] Summary own, all;  ///< of its entry; with those below it
  };

  static int height(const Node* node) { return node == nullptr ? 0 : node->levels; }
  static Summary total(const Node* node) { return node == nullptr ? Measure::none() : node->all; }
  static Link make(EntryPtr entry, Link left, Link right) {
    return Link(new Node(std::move(entry), std::move(left), std::move(right)));
  }

  /// A node of these parts, rotated when one side became two levels higher than the other.
  static Link balanced(const EntryPtr& entry, Link left, Link right) {
    const int lean = height(left.get()) - height(right.get());
    if (lean > 1) {
      if (height(left->left.get()) >= height(left->right.get())) {
        return make(left->entry, left->left, make(entry, left->right, std::move(right)));
      }
      const Node& mid = *left->right;
      return make(mid.entry, make(left->entry, left->left, mid.left), make(entry, mid.right, std::move(right)));
    }
    if (lean < -1) {
      if (height(right->right.get()) >= height(right->left.get())) {
        return make(right->entry, make(entry, std::move(left), right->left), right->right);
      }
      const Node& mid = *right->left;
      return make(mid.entry, make(entry, std::move(left), mid.left), make(right->entry, mid.right, right->right));
    }
    return make(entry, std::move(left), std::move(right));
  }

  static Link insert(const Link& node, Key&& key, Value&& value, bool& added) {
    if (node == nullptr) {
      added = true;
      return make(EntryPtr(new Shared(std::move(key), std::move(value))), nullptr, nullptr);
    }
    node->fetch_children();
    if (Less{}(key, node->key())) {
      return balanced(node->entry, insert(node->left, std::move(key), std::move(value), added), node->right);
    }
    if (Less{}(node->key(), key)) {
      return balanced(node->entry, node->left, insert(node->right, std::move(key), std::move(value), added));
    }
    return make(EntryPtr(new Shared(std::move(key), std::move(value))), node->left, node->right);
  }

  template <class K>
  static Link remove(const Link& node, const K& key) {
    node->fetch_children();
    if (Less{}(key, node->key())) return balanced(node->entry, remove(node->left, key), node->right);
    if (Less{}(node->key(), key)) return balanced(node->entry, node->left, remove(node->right, key));
    if (node->left == nullptr) return node->right;
    if (node->right == nullptr) return node->left;
    const Node* next = node->right.get();
    while (next->left != nullptr) next = next->left.get();
    return balanced(next->entry, node->left, remove_first(node->right));
  }
  static Link remove_first(const Link& node) {
    if (node->left == nullptr) return node->right;
    return balanced(node->entry, remove_first(node->left), node->right);
  }

  template <class Where, class Visit>
  static bool walk(const Node* node, const Where& where, const Visit& visit) {
    if (node == nullptr) return true;
    node->fetch_children();
    const int side = where(node->key());
    if (side == 0) __builtin_prefetch(node->entry.get());
    if (side >= 0 && !walk(node->left.get(), where, visit)) return false;
    if (side == 0) {
      const auto& [key, value] = node->entry->entry;
      if constexpr (std::is_same_v<decltype(visit(key, value)), bool>) {
        if (!visit(key, value)) return false;
      } else {
        visit(key, value);
      }
    }
    return side > 0 || walk(node->right.get(), where, visit);
  }

  /// Of the keys below `node` that are not before the range; none of them is after it.
  template <class Where>
  static Summary measure_from(const Node* node, const Where& where) {
    if (node == nullptr) return Measure::none();
    node->fetch_children();
    if (where(node->key()) < 0) return measure_from(node->right.get(), where);
    return Measure::combine(Measure::combine(measure_from(node->left.get(), where), node->own),
                            total(node->right.get()));
  }
  /// Of the keys below `node` that are not after the range; none of them is before it.
  template <class Where>
  static Summary measure_to(const Node* node, const Where& where) {
    if (node == nullptr) return Measure::none();
    node->fetch_children();
    if (where(node->key()) > 0) return measure_to(node->left.get(), where);
    return Measure::combine(Measure::combine(total(node->left.get()), node->own), measure_to(node->right.get(), where));
  }

  Link root_;
  std::size_t size_ = 0;
};

}  // namespace devstack
