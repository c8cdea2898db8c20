#include "core/dns/name_counters.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <string>

namespace devstack::dns {
namespace {

/// FNV-1a: names are short, and a table in which somebody makes them collide only counts them worse.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

void add_one(std::atomic<std::uint64_t>& number) {
  number.store(number.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

std::uint64_t NameCount::total() const { return std::accumulate(by_rcode.begin(), by_rcode.end(), std::uint64_t{0}); }

void NameCounters::count(Slot& slot, Rcode rcode, bool ours) {
  add_one(slot.total);
  add_one(slot.by_rcode.at(std::min<std::size_t>(static_cast<std::size_t>(rcode), NameCount::codes - 1)));
  if (ours && !slot.ours.load(std::memory_order_relaxed)) slot.ours.store(true, std::memory_order_relaxed);
}

NameCounters::Place NameCounters::raise(std::string_view wire, Rcode rcode, bool ours) {
  std::array<char, 255> buffer;
  const std::size_t size = std::min(wire.size(), buffer.size());
  std::transform(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(size), buffer.begin(),
                 [](char c) { return to_lower(c); });
  const std::string_view lowered(buffer.data(), size);
  const auto hash = hash_of(lowered);
  Slot* place = nullptr;
  for (std::size_t i = 0; i < ways; ++i) {
    Slot& slot = (*slots_)[(hash + i) % capacity];
    if (slot.hash == hash && slot.version.load(std::memory_order_relaxed) != 0) {
      place = &slot;
      break;
    }
    const bool rarer =
        place == nullptr || slot.total.load(std::memory_order_relaxed) < place->total.load(std::memory_order_relaxed);
    if (rarer) place = &slot;
  }
  if (place->hash != hash || place->version.load(std::memory_order_relaxed) == 0) move_in(*place, lowered, hash);
  count(*place, rcode, ours);
  return {static_cast<std::uint32_t>(place - slots_->data()), place->version.load(std::memory_order_relaxed) / 2};
}

bool NameCounters::raise(Place place, Rcode rcode, bool ours) {
  Slot& slot = (*slots_)[place.slot % capacity];
  if (place.tenant == 0 || slot.version.load(std::memory_order_relaxed) / 2 != place.tenant) return false;
  count(slot, rcode, ours);
  return true;
}

void NameCounters::move_in(Slot& slot, std::string_view lowered, std::uint64_t hash) {
  const auto tenant = slot.version.load(std::memory_order_relaxed) / 2 + 1;
  slot.version.store(2 * tenant - 1, std::memory_order_relaxed);
  // Whatever is seen of the new tenant, the odd version is seen with it.
  slot.hash = hash;
  slot.bytes.store(static_cast<std::uint8_t>(lowered.size()), std::memory_order_release);
  for (std::size_t at = 0, word = 0; at < lowered.size(); at += 8, ++word) {
    std::uint64_t raw = 0;
    std::memcpy(&raw, lowered.data() + at, std::min<std::size_t>(8, lowered.size() - at));
    slot.name.at(word).store(raw, std::memory_order_release);
  }
  slot.total.store(0, std::memory_order_release);
  slot.ours.store(false, std::memory_order_release);
  for (auto& one : slot.by_rcode) one.store(0, std::memory_order_release);
  slot.version.store(2 * tenant, std::memory_order_release);
}

bool NameCounters::read(const Slot& slot, NameCount& into) {
  const auto version = slot.version.load(std::memory_order_acquire);
  if (version == 0 || version % 2 != 0) return false;
  std::array<std::uint64_t, words> raw;
  for (std::size_t i = 0; i < words; ++i) raw.at(i) = slot.name.at(i).load(std::memory_order_acquire);
  for (std::size_t i = 0; i < NameCount::codes; ++i) {
    into.by_rcode.at(i) = slot.by_rcode.at(i).load(std::memory_order_acquire);
  }
  into.ours = slot.ours.load(std::memory_order_acquire);
  const std::size_t bytes = slot.bytes.load(std::memory_order_acquire);
  if (slot.version.load(std::memory_order_relaxed) != version) return false;
  into.name = Name::from_valid_wire(std::string(reinterpret_cast<const char*>(raw.data()), bytes));
  return true;
}

void NameCounters::add_to(std::vector<NameCount>& into) const {
  std::map<std::string, std::size_t, std::less<>> known;
  for (std::size_t i = 0; i < into.size(); ++i) known.emplace(std::string(into[i].name.wire()), i);
  for (const auto& slot : *slots_) {
    NameCount one;
    if (!read(slot, one)) continue;
    const auto [at, is_new] = known.emplace(std::string(one.name.wire()), into.size());
    if (is_new) {
      into.push_back(std::move(one));
      continue;
    }
    auto& sum = into[at->second];
    for (std::size_t i = 0; i < NameCount::codes; ++i) sum.by_rcode.at(i) += one.by_rcode.at(i);
    sum.ours = sum.ours || one.ours;
  }
}

std::vector<NameCount> most_asked(std::vector<NameCount> counts, std::size_t most) {
  const auto more = [](const NameCount& a, const NameCount& b) {
    const auto left = a.total();
    const auto right = b.total();
    return left != right ? left > right : a.name.wire() < b.name.wire();
  };
  const auto shown = static_cast<std::ptrdiff_t>(std::min(most, counts.size()));
  std::partial_sort(counts.begin(), counts.begin() + shown, counts.end(), more);
  counts.resize(static_cast<std::size_t>(shown));
  return counts;
}

}  // namespace devstack::dns
