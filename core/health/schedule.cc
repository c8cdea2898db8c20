#include "core/health/schedule.h"

#include <algorithm>

namespace devstack::health {
namespace {

Instant::duration first_delay(Schedule::Span interval, double chance) {
  const auto latest = std::min<Schedule::Span>(interval, latest_first_run);
  const auto room = latest - earliest_first_run;
  const auto part = static_cast<Schedule::Span::rep>(chance * static_cast<double>(room.count()));
  return std::chrono::duration_cast<Instant::duration>(earliest_first_run + Schedule::Span(part));
}

/// With the same chance: so the phase is spread evenly over all of the interval.
Instant::duration second_delay(Schedule::Span interval, double chance) {
  const auto room = interval - shortest_interval;
  const auto part = static_cast<Schedule::Span::rep>(chance * static_cast<double>(room.count()));
  return std::chrono::duration_cast<Instant::duration>(shortest_interval + Schedule::Span(part));
}

Instant after(Instant at, Schedule::Span interval, Instant now) {
  const auto missed = (now - at) / std::chrono::duration_cast<Instant::duration>(interval);
  return at + (missed + 1) * std::chrono::duration_cast<Instant::duration>(interval);
}

}  // namespace

void Schedule::set(const std::string& id, Span interval, Instant now, double chance) {
  erase(id);
  Entry entry;
  entry.interval = std::clamp<Span>(interval, shortest_interval, longest_interval);
  entry.at = now + first_delay(entry.interval, chance);
  entry.second = entry.at + second_delay(entry.interval, chance);
  order_.emplace(entry.at, id);
  entries_.emplace(id, entry);
}

void Schedule::erase(const std::string& id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  order_.erase({found->second.at, id});
  entries_.erase(found);
}

Instant Schedule::next() const { return order_.empty() ? Instant::max() : order_.begin()->first; }

std::vector<Schedule::Run> Schedule::take_due(Instant now, std::size_t limit) {
  std::vector<Run> due;
  while (due.size() < limit && next() <= now) {
    const auto id = order_.begin()->second;
    order_.erase(order_.begin());
    auto& entry = entries_.at(id);
    const bool first = entry.at < entry.second;
    entry.at =
        first && entry.second > now ? entry.second : after(std::max(entry.at, entry.second), entry.interval, now);
    order_.emplace(entry.at, id);
    if (entry.running) continue;
    entry.running = true;
    entry.turn = ++turns_;
    due.push_back({id, entry.turn});
  }
  return due;
}

void Schedule::finished(const Run& run) {
  const auto found = entries_.find(run.id);
  if (found != entries_.end() && found->second.turn == run.turn) found->second.running = false;
}

}  // namespace devstack::health
