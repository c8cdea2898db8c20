#pragma once

#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/async/clock.h"
#include "core/dns/foreign_reply.h"

namespace devstack::dns {

/// Other servers' answers, as long as they may be kept (ForeignReply::lifetime; RFC 2308 for denials), and after that
/// for a day more, to be used when nobody answers (RFC 8767). Least recently used entries go first when it is full.
/// Time is passed in. A value; one thread. Private to core/dns.
class Cache {
 public:
  struct Limits {
    std::size_t entries = 10'000;
    std::size_t bytes = std::size_t{16} << 20;
  };
  static constexpr std::chrono::seconds stale_for{24 * 3600};
  /// How long nobody is asked again after all servers failed: with a stale answer at hand, and without one
  /// (RFC 9520 §3.2 wants a second at least).
  static constexpr std::chrono::seconds pause_with_stale{5};
  static constexpr std::chrono::seconds pause_without{1};

  Cache() : Cache(Limits{}) {}
  explicit Cache(Limits limits) : limits_(limits) {}
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  struct Found {
    ForeignReplyPtr reply;  ///< null: nothing to send
    Age age;                ///< says whether it is stale
    Instant same_until{};   ///< as long as it is fresh and no second older than `age`
    bool ask = true;        ///< somebody is to be asked: not when it is fresh, nor right after a failure
  };
  Found find(std::string_view key, Instant now);

  /// Takes the place of what was there; what has no lifetime only removes that.
  void keep(std::string_view key, ForeignReplyPtr reply, Instant now);
  /// Nobody answered.
  void failed(std::string_view key, Instant now);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string key;
    ForeignReplyPtr reply;  // null after a failure without an older answer
    Instant stored;
    Instant fresh_until;
    Instant gone_after;
    Instant ask_from;
  };
  using Entries = std::list<Entry>;  // most recently used first

  static std::size_t weight(const Entry& entry);
  void add(Entry entry);
  void erase(Entries::iterator at);

  Limits limits_;
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> by_key_;  // views into entries_
  std::size_t bytes_ = 0;
};

}  // namespace devstack::dns
