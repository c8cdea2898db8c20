#pragma once

#include <optional>
#include <string>

#include "core/dns/codec.h"
#include "core/net/port_holder.h"

/// A client's question as far as other servers and the cache are concerned. Pure; any thread. Private to core/dns.
namespace devstack::dns {

struct Asker {
  Question question;  ///< case as asked
  std::uint16_t id = 0;
  net::Transport transport = net::Transport::udp;
  bool edns = false;
  std::uint16_t udp_bytes = 512;   ///< what it can receive over UDP
  bool dnssec_ok = false;          ///< DO
  bool checking_disabled = false;  ///< CD
  bool wants_authentic = false;    ///< AD or DO: it knows what AD in a reply means (RFC 6840 §5.7)
};

/// Empty for a question whose answer may depend on more than an Asker holds, so that it must go as it came and stays
/// uncached: no recursion desired, a client subnet (RFC 7871), signed (TSIG), an opcode other than QUERY.
std::optional<Asker> asker_of(const Message& query, net::Transport transport);

/// Equal for questions that one answer serves: name without regard to case, type, class, DO, CD.
std::string cache_key(const Asker& asker);

enum class WithEdns { yes, no };

/// Our own query for it: recursion desired, AD (we understand it), EDNS with 1232 bytes (DNS Flag Day 2020).
std::vector<std::uint8_t> upstream_query(const Asker& asker, std::uint16_t id, WithEdns edns);

/// Sets the case of every letter of the question's name by the bits of `random`, again from its start when they run
/// out. `query` has one question.
void randomise_case(std::span<std::uint8_t> query, std::span<const std::uint8_t> random);

/// Whether the question of `reply` is byte for byte that of `query`.
bool same_case(Bytes reply, Bytes query);

}  // namespace devstack::dns
