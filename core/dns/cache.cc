#include "core/dns/cache.h"

#include <algorithm>

namespace devstack::dns {
namespace {

/// What an entry costs beside key and message: list and hash nodes, ForeignReply, allocator.
constexpr std::size_t entry_overhead_bytes = 320;

}  // namespace

std::size_t Cache::weight(const Entry& entry) {
  const std::size_t fixed = entry_overhead_bytes + entry.key.size();
  if (!entry.reply) return fixed;
  return fixed + entry.reply->bytes.size() + entry.reply->records.size() * sizeof(ForeignReply::Placed);
}

Cache::Found Cache::find(std::string_view key, Instant now) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return {};
  const auto at = found->second;
  if (now >= at->gone_after) {
    erase(at);
    return {};
  }
  entries_.splice(entries_.begin(), entries_, at);
  Found out;
  out.reply = at->reply;
  out.age.stale = now >= at->fresh_until;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - at->stored).count();
  out.age.seconds = static_cast<std::uint32_t>(std::max<std::int64_t>(seconds, 0));
  if (!out.age.stale) out.same_until = std::min(at->fresh_until, at->stored + std::chrono::seconds(seconds + 1));
  out.ask = out.age.stale && now >= at->ask_from;
  return out;
}

void Cache::keep(std::string_view key, ForeignReplyPtr reply, Instant now) {
  if (const auto old = by_key_.find(key); old != by_key_.end()) erase(old->second);
  if (!reply || reply->lifetime.count() == 0) return;
  Entry entry;
  entry.key = key;
  entry.stored = entry.ask_from = now;
  entry.fresh_until = now + reply->lifetime;
  // A denial that outlives its time helps nobody: where the name exists again, it hides it.
  entry.gone_after = reply->denial ? entry.fresh_until : entry.fresh_until + stale_for;
  entry.reply = std::move(reply);
  add(std::move(entry));
}

void Cache::failed(std::string_view key, Instant now) {
  const auto found = by_key_.find(key);
  if (found != by_key_.end() && found->second->reply && now < found->second->gone_after) {
    found->second->ask_from = now + pause_with_stale;
    return;
  }
  if (found != by_key_.end()) erase(found->second);
  Entry entry;
  entry.key = key;
  entry.stored = entry.fresh_until = now;
  entry.gone_after = entry.ask_from = now + pause_without;
  add(std::move(entry));
}

void Cache::add(Entry entry) {
  bytes_ += weight(entry);
  entries_.push_front(std::move(entry));
  by_key_.emplace(entries_.front().key, entries_.begin());
  while (!entries_.empty() && (entries_.size() > limits_.entries || bytes_ > limits_.bytes)) {
    erase(std::prev(entries_.end()));
  }
}

void Cache::erase(Entries::iterator at) {
  bytes_ -= weight(*at);
  by_key_.erase(at->key);
  entries_.erase(at);
}

}  // namespace devstack::dns
