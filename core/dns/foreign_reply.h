#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "core/dns/asker.h"

/// What another server said, kept as its bytes, so that record types without a struct here come through unharmed, and
/// written anew for each client that asks. Pure; any thread. Private to core/dns.
namespace devstack::dns {

struct ForeignReply {
  struct Placed {
    std::uint16_t ttl_at = 0;  ///< offset of its TTL
    std::uint16_t end = 0;     ///< offset behind it
  };

  /// The message up to its OPT, which is between neighbours; what follows the OPT is left out with it.
  std::vector<std::uint8_t> bytes;
  std::size_t question_end = 0;
  std::vector<Placed> records;
  std::size_t answers = 0, authority = 0;  ///< of `records`, in this order; the rest is additional
  Rcode rcode = Rcode::noerror;
  bool truncated = false;
  bool authentic = false;  ///< AD
  bool denial = false;     ///< NXDOMAIN, or no record of the type that was asked (RFC 2308 §2)
  /// How long it may be kept: the least TTL, a day at most; a denial by its SOA, 15 minutes at most and not at all
  /// without one; 0 for what is truncated or has another rcode than NOERROR and NXDOMAIN.
  std::chrono::seconds lifetime{0};
};
using ForeignReplyPtr = std::shared_ptr<const ForeignReply>;

inline constexpr std::chrono::seconds longest_life{24 * 3600};
inline constexpr std::chrono::seconds longest_denial{15 * 60};
/// What a stale record says (RFC 8767 §4).
inline constexpr std::uint32_t stale_ttl = 30;

/// Errc::parse for what is no reply to one question, or has an extended rcode.
Result<ForeignReplyPtr> read_foreign(std::vector<std::uint8_t> bytes);

/// How old a reply is when it is sent on.
struct Age {
  std::uint32_t seconds = 0;
  bool stale = false;  ///< past its lifetime: all TTLs are `stale_ttl`
};

/// Writes `reply` for one client: its id, its question in its case, what is left of the TTLs, its flags and our own
/// OPT, cut to what it can receive (additional and unneeded authority records go first; TC when answers are missing).
/// Number of bytes; `out` has room for any message. `reply` answers a question with the same cache_key.
std::size_t write_foreign(const ForeignReply& reply, const Asker& asker, Age age, std::span<std::uint8_t> out);

}  // namespace devstack::dns
