#include "core/registry/wait_list.h"

#include <algorithm>
#include <utility>

#include "core/registry/state_data.h"

namespace devstack::registry {
namespace {

using Table = Watch::Table;

/// The form in which `changed` names it.
Watch normal(Watch watch) {
  if (watch.table != Table::kv_key && watch.table != Table::kv_prefix) watch.key = folded(watch.key);
  return watch;
}

}  // namespace

void WaitList::add(const State& state, const WaiterPtr& waiter) {
  const auto past = [&](const Watch& watch) { return state.index_of(watch) > waiter->seen; };
  if (std::any_of(waiter->watches.begin(), waiter->watches.end(), past)) {
    std::exchange(waiter->done, nullptr)(true);
    return;
  }
  // A prefix below which nothing is answers with the index of the whole table: any write moves that.
  const auto empty_prefix = [&](const Watch& watch) {
    return watch.table == Table::kv_prefix && state.kv_prefix_index(watch.key) == 0;
  };
  if (std::any_of(waiter->watches.begin(), waiter->watches.end(), empty_prefix)) {
    waiter->watches.push_back({Table::kv_prefix, ""});
  }
  for (auto& watch : waiter->watches) watch = normal(std::move(watch));
  std::sort(waiter->watches.begin(), waiter->watches.end());
  waiter->watches.erase(std::unique(waiter->watches.begin(), waiter->watches.end()), waiter->watches.end());

  for (const auto& watch : waiter->watches) {
    auto& set = waiters_[watch];
    if (set.empty() && watch.table == Table::kv_prefix) ++prefix_lengths_[watch.key.size()];
    set.insert(waiter);
  }
  ++size_;
  if (waiter->limit.expiry() == std::chrono::steady_clock::time_point::max()) return;
  waiter->limit.async_wait([this, weak = std::weak_ptr(waiter)](boost::system::error_code stopped) {
    const auto alive = weak.lock();
    if (!stopped && alive && alive->done) finish(alive, false);
  });
}

void WaitList::collect(const Watch& watch, std::vector<WaiterPtr>& out) const {
  const auto found = waiters_.find(watch);
  if (found != waiters_.end()) out.insert(out.end(), found->second.begin(), found->second.end());
}

void WaitList::wake(const std::vector<Watch>& changed) {
  if (changed.empty() || waiters_.empty()) return;
  std::vector<WaiterPtr> woken;
  const auto everything = [](const Watch& watch) { return watch.table == Table::any; };
  if (std::any_of(changed.begin(), changed.end(), everything)) {
    for (const auto& [watch, set] : waiters_) woken.insert(woken.end(), set.begin(), set.end());
  }
  collect({Table::any, ""}, woken);
  for (const auto& watch : changed) {
    collect(watch, woken);
    if (watch.table != Table::kv_key) continue;
    for (const auto& [length, count] : prefix_lengths_) {
      if (length > watch.key.size()) break;
      collect({Table::kv_prefix, watch.key.substr(0, length)}, woken);
    }
  }
  for (const auto& waiter : woken) finish(waiter, true);
}

void WaitList::finish(const WaiterPtr& waiter, bool changed) {
  const auto done = std::exchange(waiter->done, nullptr);
  if (!done) return;
  for (const auto& watch : waiter->watches) {
    const auto found = waiters_.find(watch);
    if (found == waiters_.end() || found->second.erase(waiter) == 0 || !found->second.empty()) continue;
    waiters_.erase(found);
    if (watch.table != Table::kv_prefix) continue;
    const auto length = prefix_lengths_.find(watch.key.size());
    if (--length->second == 0) prefix_lengths_.erase(length);
  }
  --size_;
  waiter->limit.cancel();
  done(changed);
}

void WaitList::clear() {
  while (!waiters_.empty()) finish(WaiterPtr(*waiters_.begin()->second.begin()), false);
}

}  // namespace devstack::registry
