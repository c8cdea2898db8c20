#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/async/clock.h"

/// When which check runs: deadlines by check id, nothing else. Pure: time and chance come in as arguments.
namespace devstack::health {

/// The first run comes a uniformly random while after the check was seen, between these. Sooner than Consul's, which is
/// anywhere in [0, interval): who waits for a service to become healthy waits less. Never at once, so that a client
/// that reads right after registering sees the status it gave.
constexpr auto earliest_first_run = std::chrono::milliseconds(500);
constexpr auto latest_first_run = std::chrono::milliseconds(1500);
/// No check runs more often, as in Consul.
constexpr auto shortest_interval = std::chrono::seconds(1);
/// Nor does one wait longer: what a definition may say goes beyond what can be added to a time.
constexpr auto longest_interval = std::chrono::hours(365 * 24);

class Schedule {
 public:
  using Span = std::chrono::nanoseconds;

  /// A new check, or one whose definition changed: starts afresh. `chance` is uniform in [0, 1). What runs for an
  /// earlier definition of it no longer counts (see finished). The second run comes between `shortest_interval` and one
  /// interval after the first: checks that began together, as all do when the program starts, spread out evenly.
  void set(const std::string& id, Span interval, Instant now, double chance);
  void erase(const std::string& id);
  [[nodiscard]] bool contains(const std::string& id) const { return entries_.contains(id); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

  /// The next deadline; Instant::max() when there is none.
  [[nodiscard]] Instant next() const;

  /// A run to begin: `turn` is for finished().
  struct Run {
    std::string id;
    std::uint64_t turn = 0;
  };
  /// What is due, the longest overdue first, at most `limit`. From its second run on each keeps its phase: its next
  /// deadline is a whole number of intervals after this one, and after `now`. One that still runs is passed over until
  /// its next deadline.
  std::vector<Run> take_due(Instant now, std::size_t limit);
  void finished(const Run& run);

 private:
  struct Entry {
    Span interval{0};
    Instant at;
    Instant second;  ///< where its phase begins
    std::uint64_t turn = 0;
    bool running = false;
  };
  using Order = std::set<std::pair<Instant, std::string>>;

  std::map<std::string, Entry> entries_;
  Order order_;  ///< every entry by its deadline
  std::uint64_t turns_ = 0;
};

}  // namespace devstack::health
