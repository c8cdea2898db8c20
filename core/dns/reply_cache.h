#pragma once

#include <cstdlib>
#include <memory>
#include <optional>
#include <span>

#include "core/base/async/clock.h"
#include "core/dns/answer.h"
#include "core/dns/codec.h"
#include "core/dns/name_counters.h"
#include "core/dns/query_log.h"

namespace devstack::dns {

class Random;

/// How long, and with what change, a reply may be sent again to the same question.
struct Repeat {
  Instant until = Instant::max();
  /// So many address records from this offset on, of this size each, are an answer in any order: each time another.
  std::uint16_t shuffle_at = 0;
  std::uint8_t shuffle_count = 0, shuffle_bytes = 0;
};

/// Whether what `answer` said over UDP would be said again from the same snapshot, but for the order of its addresses;
/// nothing when chance had another part in it (which of many instances, which alias) or the question is one of a kind
/// (EDNS options). `bytes` is `reply` encoded; `now` and `unix_us` are the same moment. Pure.
std::optional<Repeat> repeatable(const Query& query, const Message& reply, Bytes bytes, const AnswerOptions& options,
                                 Instant now, std::int64_t unix_us);

/// Replies as bytes by the bytes of the question, so that the question which everybody asks is answered without being
/// taken apart, and without an allocation. A table of fixed size: a new reply takes the place of one of its four
/// neighbours. A value; one thread. Private to core/dns.
class ReplyCache {
 public:
  static constexpr std::size_t capacity = 16'384;
  static constexpr std::size_t slot_bytes = 440;  ///< of question and reply together; longer ones are not kept

  explicit ReplyCache(std::uint64_t seed);

  struct Hit {
    std::size_t size = 0;   ///< of the reply, in `out`, its id that of the request
    std::string_view name;  ///< in wire form; into the request
    Type type = Type::a;
    Rcode rcode = Rcode::noerror;
    Source source = Source::registry;
    Repeat repeat;                           ///< as it was kept with
    NameCounters::Place* counted = nullptr;  ///< the caller's to use; valid until the next call
  };
  std::optional<Hit> find(Bytes request, Instant now, Random& random, std::span<std::uint8_t> out);
  void keep(Bytes request, Bytes reply, Source source, const Repeat& repeat, NameCounters::Place counted = {});
  /// What the registry says may have changed: forgets everything, at once.
  void forget();

 private:
  static constexpr std::size_t ways = 4;
  struct Slot {
    std::uint64_t hash;
    std::uint32_t generation;  // 0: empty
    std::uint16_t request_bytes, reply_bytes;
    Instant::rep until;
    NameCounters::Place counted;
    std::uint16_t shuffle_at;
    std::uint8_t shuffle_count, shuffle_bytes;
    Source source;
    std::array<std::uint8_t, slot_bytes> bytes;  // request without its id, reply
  };
  struct Free {
    void operator()(Slot* slots) const { std::free(slots); }
  };
  [[nodiscard]] std::uint64_t hash_of(Bytes request) const;

  std::unique_ptr<Slot[], Free> slots_;  // zeroes that take memory only once written
  std::uint64_t seed_;
  std::uint32_t generation_ = 1;
  std::uint32_t next_victim_ = 0;
};

}  // namespace devstack::dns
