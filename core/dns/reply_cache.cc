#include "core/dns/reply_cache.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "core/dns/resolution.h"

namespace devstack::dns {
namespace {

constexpr std::size_t id_bytes = 2;
constexpr std::size_t shortest_request = header_bytes + 1 + 4;  // the root
constexpr std::size_t longest_shuffled_record = 28;             // AAAA, its owner a pointer

/// Where the question's name ends; 0 when it does not lie there plainly.
std::size_t name_end(Bytes request) {
  std::size_t at = header_bytes;
  while (at < request.size() && request[at] != 0) {
    if (request[at] > 63) return 0;
    at += 1U + request[at];
  }
  return at + 1 + 4 <= request.size() ? at + 1 : 0;
}

std::size_t u16(Bytes bytes, std::size_t at) { return static_cast<std::size_t>(bytes[at]) << 8 | bytes[at + 1]; }

bool is_address(const Record& record) { return record.type == Type::a || record.type == Type::aaaa; }

/// At least so many answers may have been chosen from more.
std::size_t possibly_cut(const Query& query, const AnswerOptions& options) {
  const bool large = query.message.edns && query.message.edns->udp_bytes > 512;
  std::size_t limit = large ? SIZE_MAX : static_cast<std::size_t>(std::max(options.udp_answer_limit, 0));
  if (options.a_record_limit > 0) limit = std::min(limit, static_cast<std::size_t>(options.a_record_limit));
  return limit;
}

bool has_soa(const Message& reply) {
  const auto in = [](const std::vector<Record>& records) {
    return std::any_of(records.begin(), records.end(), [](const Record& one) { return one.type == Type::soa; });
  };
  return in(reply.answers) || in(reply.authority);
}

/// Chance picks among prepared queries' instances, aliases and name servers before anything is seen of it here.
bool left_to_chance(const Query& query, const Message& reply) {
  for (const auto label : query.message.questions.front().name.labels()) {
    if (equal_ignoring_case(label, "query")) return true;
  }
  const auto in = [](const std::vector<Record>& records) {
    return std::any_of(records.begin(), records.end(),
                       [](const Record& one) { return one.type == Type::cname || one.type == Type::ns; });
  };
  return in(reply.answers) || in(reply.authority);
}

/// The answers as records of one size that follow each other, their owner a pointer to the question.
std::optional<Repeat> shuffled(const Message& reply, Bytes bytes, std::size_t first) {
  const Name& asked = reply.questions.front().name;
  const auto same = [&](const Record& one) {
    return is_address(one) && one.type == reply.answers.front().type && one.name == asked;
  };
  if (!std::all_of(reply.answers.begin(), reply.answers.end(), same) || reply.answers.size() > UINT8_MAX) return {};
  Repeat out;
  out.shuffle_at = static_cast<std::uint16_t>(first);
  out.shuffle_count = static_cast<std::uint8_t>(reply.answers.size());
  out.shuffle_bytes = reply.answers.front().type == Type::a ? 16 : longest_shuffled_record;
  for (std::size_t i = 0, at = first; i < reply.answers.size(); ++i, at += out.shuffle_bytes) {
    const bool as_expected = at + out.shuffle_bytes <= bytes.size() && u16(bytes, at) == 0xc000 + header_bytes &&
                             u16(bytes, at + 10) + 12 == out.shuffle_bytes;
    if (!as_expected) return {};
  }
  return out;
}

}  // namespace

std::optional<Repeat> repeatable(const Query& query, const Message& reply, Bytes bytes, const AnswerOptions& options,
                                 Instant now, std::int64_t unix_us) {
  if (query.transport != net::Transport::udp || reply.header.truncated) return {};
  if (query.message.edns && !query.message.edns->options.empty()) return {};
  if (reply.answers.size() >= possibly_cut(query, options) || left_to_chance(query, reply)) return {};
  std::optional<Repeat> out = Repeat{};
  if (reply.answers.size() > 1) {
    const auto question = question_end(bytes);
    out = question ? shuffled(reply, bytes, *question) : std::nullopt;
  }
  constexpr std::int64_t second = 1'000'000;  // the serial of an SOA is the time
  if (out && has_soa(reply)) out->until = now + std::chrono::microseconds(second - unix_us % second);
  return out;
}

ReplyCache::ReplyCache(std::uint64_t seed)
    : slots_(static_cast<Slot*>(std::calloc(capacity, sizeof(Slot)))), seed_(seed) {
  static_assert(std::is_trivially_copyable_v<Slot>);
  if (!slots_) throw std::bad_alloc();
}

/// Multiply and fold, eight bytes at a time; seeded, since whoever can ask can choose the bytes.
std::uint64_t ReplyCache::hash_of(Bytes request) const {
  constexpr std::uint64_t factor = 0x9e3779b97f4a7c15;
  std::uint64_t hash = seed_ ^ request.size();
  const auto mix = [&](std::uint64_t word) {
    hash = (hash ^ word) * factor;
    hash ^= hash >> 29;
  };
  std::size_t at = id_bytes;
  for (; at + 8 <= request.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, request.data() + at, 8);
    mix(word);
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, request.data() + at, request.size() - at);
  mix(rest);
  return hash ^ hash >> 32;
}

std::optional<ReplyCache::Hit> ReplyCache::find(Bytes request, Instant now, Random& random,
                                                std::span<std::uint8_t> out) {
  if (request.size() < shortest_request || request.size() > slot_bytes) return {};
  const auto hash = hash_of(request);
  const auto asked = request.subspan(id_bytes);
  for (std::size_t i = 0; i < ways; ++i) {
    Slot& slot = slots_[(hash / ways * ways + i) % capacity];
    if (slot.hash != hash || slot.generation != generation_ || slot.request_bytes != asked.size()) continue;
    if (std::memcmp(slot.bytes.data(), asked.data(), asked.size()) != 0) continue;
    if (now.time_since_epoch().count() >= slot.until) return {};
    std::memcpy(out.data(), slot.bytes.data() + slot.request_bytes, slot.reply_bytes);
    std::memcpy(out.data(), request.data(), id_bytes);
    for (std::size_t left = slot.shuffle_count; left > 1; --left) {
      std::uint8_t* records = out.data() + slot.shuffle_at;
      std::uint8_t* a = records + (left - 1) * slot.shuffle_bytes;
      std::uint8_t* b = records + random.next() % left * slot.shuffle_bytes;
      if (a != b) std::swap_ranges(a, a + slot.shuffle_bytes, b);
    }
    const auto end = name_end(request);
    const auto* text = reinterpret_cast<const char*>(request.data());
    return Hit{slot.reply_bytes,
               std::string_view(text + header_bytes, end - header_bytes),
               static_cast<Type>(u16(request, end)),
               static_cast<Rcode>(out[3] & 0x0f),
               slot.source,
               Repeat{Instant(Instant::duration(slot.until)), slot.shuffle_at, slot.shuffle_count, slot.shuffle_bytes},
               &slot.counted};
  }
  return {};
}

void ReplyCache::keep(Bytes request, Bytes reply, Source source, const Repeat& repeat, NameCounters::Place counted) {
  if (request.size() < shortest_request || reply.size() < header_bytes || name_end(request) == 0) return;
  const auto asked = request.subspan(id_bytes);
  if (asked.size() + reply.size() > slot_bytes) return;
  const auto hash = hash_of(request);
  const auto first = hash / ways * ways;
  Slot* into = nullptr;
  for (std::size_t i = 0; i < ways && into == nullptr; ++i) {
    Slot& slot = slots_[(first + i) % capacity];
    const bool same = slot.hash == hash && slot.request_bytes == asked.size();
    if (slot.generation != generation_ || same) into = &slot;
  }
  if (into == nullptr) into = &slots_[(first + next_victim_++ % ways) % capacity];
  into->hash = hash;
  into->generation = generation_;
  into->request_bytes = static_cast<std::uint16_t>(asked.size());
  into->reply_bytes = static_cast<std::uint16_t>(reply.size());
  into->until = repeat.until.time_since_epoch().count();
  into->counted = counted;
  into->shuffle_at = repeat.shuffle_at;
  into->shuffle_count = repeat.shuffle_count;
  into->shuffle_bytes = repeat.shuffle_bytes;
  into->source = source;
  std::memcpy(into->bytes.data(), asked.data(), asked.size());
  std::memcpy(into->bytes.data() + asked.size(), reply.data(), reply.size());
}

void ReplyCache::forget() {
  if (++generation_ != 0) return;
  std::memset(static_cast<void*>(slots_.get()), 0, capacity * sizeof(Slot));
  generation_ = 1;
}

}  // namespace devstack::dns
