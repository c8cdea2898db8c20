#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/dns/fixed_records.h"
#include "core/dns/message.h"
#include "core/net/port_holder.h"
#include "core/registry/state.h"

/// What our DNS says, as a function of the question and a snapshot of the registry: Consul's DNS interface (names,
/// record contents, flags, sizes). Pure: no sockets, no clock, no randomness of its own. Any thread.
/// https://developer.hashicorp.com/consul/docs/services/discovery/dns-static-lookups
namespace devstack::dns {

/// Everything of the configuration that decides answers; made by `answer_options` (server.h) from the stack file's
/// text.
struct AnswerOptions {
  /// Zones served. The first speaks Consul's forms (NAME.service.ZONE, …); in the others NAME.ZONE works as well.
  /// Targets of SRV and PTR are named in the first.
  std::vector<Name> domains;
  std::string datacenter = "dc1";
  std::string node;      ///< our own, which a prepared query may want to be near to
  FixedRecords records;  ///< checked before everything else
  /// Recursors are configured: RA is set, and names outside our zones are to be forwarded.
  bool recursion = false;

  std::uint32_t node_ttl = 0;  ///< seconds; nodes, NS, .addr, fixed records
  /// Seconds by service name: exact beats the longest "prefix*", which beats "*". Keys in small letters.
  std::map<std::string, std::uint32_t, std::less<>> service_ttl;
  bool only_passing = false;  ///< leave out instances with a warning, too
  int udp_answer_limit = 3;   ///< answers over UDP without EDNS; at most 8 whatever is said here
  int a_record_limit = 0;     ///< A, AAAA and ANY answers on any transport; 0 = no limit
  bool node_meta_txt = true;  ///< node metadata as TXT in the additional section
  std::uint32_t soa_refresh = 3600, soa_retry = 600, soa_expire = 86400, soa_minimum = 0;
};

/// One question and what surrounds it.
struct Query {
  const Message& message;  ///< exactly one question
  net::Transport transport = net::Transport::udp;
  std::uint64_t seed = 0;      ///< of the shuffle
  std::int64_t unix_time = 0;  ///< SOA serial
  /// Of who asks, for prepared queries that choose what is near; a client subnet in the message comes before it.
  boost::asio::ip::address source = {};
};

/// The reply, and whether somebody else is to be asked before it is sent.
struct Answer {
  /// A name outside our zones that the answer leads to, and what a recursor said of it, if anything.
  struct Outside {
    Name name;
    std::optional<Message> said = {};
  };
  enum class Forward {
    no,     ///< send `message`
    whole,  ///< ask a recursor the same question; `message` is what to say when there is none
    alias,  ///< aliases or SRV targets lead out of our zones: ask a recursor of `outside`, then `complete`
  };
  Message message;
  Forward forward = Forward::no;
  std::vector<Outside> outside = {};
  bool keeps_ttl = false;       ///< what recursors say keeps its own TTL
  bool for_this_asker = false;  ///< another address might be answered otherwise: not to be said again to others
};

Answer answer(const Query& query, const registry::State& state, const AnswerOptions& options);

/// Completes the message of an answer with Forward::alias: addresses and aliases that recursors said follow the alias,
/// or stand in the additional section for an SRV target; and it is cut to size.
void complete(Answer& answer, const Query& query, const AnswerOptions& options);

/// A reply without records: question and EDNS as asked, RA from the options.
Message bare_reply(const Message& query, Rcode rcode, const AnswerOptions& options);

/// Consul's FORMERR or NOTIMP for a message whose header is all that counts.
Message header_reply(const Header& query, Rcode rcode);

/// A question that `answer` takes: opcode QUERY or NOTIFY, one question, no more records than a resolver would send.
/// Otherwise the rcode to send back (formerr, notimp).
Rcode acceptable(const Message& query);

}  // namespace devstack::dns
