#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "core/registry/state.h"

/// Who waits for what: blocked queries by the watches they named. A write finds its waiters by lookup, so that one that
/// concerns nobody costs nothing per waiter. Private to the room; loop only, but for `size`.
namespace devstack::registry {

namespace asio = boost::asio;

class WaitList {
 public:
  struct Waiter {
    Waiter(const asio::any_io_executor& loop, std::vector<Watch> what, Index last,
           std::chrono::steady_clock::time_point until)
        : watches(std::move(what)), seen(last), limit(loop, until) {}
    std::vector<Watch> watches;
    Index seen;
    asio::steady_timer limit;
    /// Called once, on the loop: true when something changed.
    std::function<void(bool)> done;
  };
  using WaiterPtr = std::shared_ptr<Waiter>;

  /// Ends the wait at once when `state` is already past what the waiter saw.
  void add(const State& state, const WaiterPtr& waiter);
  void wake(const std::vector<Watch>& changed);
  /// Ends the wait with false; nothing when it has ended.
  void cancel(const WaiterPtr& waiter) { finish(waiter, false); }
  /// Ends every wait with false.
  void clear();
  /// Any thread.
  [[nodiscard]] std::size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  void collect(const Watch& watch, std::vector<WaiterPtr>& out) const;
  void finish(const WaiterPtr& waiter, bool changed);

  std::map<Watch, std::set<WaiterPtr>> waiters_;
  /// How many watched prefixes have each length: a changed key is looked up once a length, not once a prefix.
  std::map<std::size_t, std::size_t> prefix_lengths_;
  std::atomic<std::size_t> size_{0};
};

}  // namespace devstack::registry
