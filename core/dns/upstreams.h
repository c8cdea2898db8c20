#pragma once

#include <map>
#include <optional>

#include "core/base/async/clock.h"
#include "core/dns/foreign_reply.h"
#include "core/dns/journal.h"
#include "core/dns/recursors.h"

namespace devstack::dns {

struct UpstreamSettings {
  Recursors recursors;
  DomainServers domains;                  ///< before the recursors
  std::chrono::milliseconds limit{2000};  ///< per server and transport
  /// Vary the case of the letters of every question and insist on getting it back ("0x20": what a forger would have to
  /// guess as well). A server that does not keep the case is believed over TCP, where forging is hard.
  bool random_case = false;
};

/// The servers that answer for names that are not ours, and how one question is put to them: one server after another,
/// those that failed in the last ten seconds at the end; NOERROR and NXDOMAIN are final, other codes and silence move
/// on to the next; what UDP leaves out is fetched over TCP. A query has an id and a port of its own. One thread (the
/// DNS server's); its calls end before it does. Private to core/dns.
class Upstreams {
 public:
  Upstreams(UpstreamSettings settings, DnsCounters& counters) : settings_(std::move(settings)), counters_(counters) {}

  /// Tells which endpoints are our own, so that we never ask ourselves.
  std::function<bool(const Endpoint&)> own = [](const Endpoint&) { return false; };

  enum class Way {
    ask,
    no_such_name,  ///< its domain was given no servers: it is never forwarded
    nobody,        ///< no recursors are configured
  };
  [[nodiscard]] Way way(const Name& name) const;

  /// The final reply; null when there was none. `current` says which server is being asked meanwhile.
  asio::awaitable<ForeignReplyPtr> ask(Asker asker, std::shared_ptr<Endpoint> current);
  /// The message as it came, with an id of our own; a client on TCP gets what a truncated reply left out. The final
  /// reply with the id of `query`; empty when there was none.
  asio::awaitable<std::optional<std::vector<std::uint8_t>>> relay(std::vector<std::uint8_t> query, Name name,
                                                                  net::Transport client);
  /// Sends a question to one server, whatever it answers.
  asio::awaitable<void> send_only(Endpoint server, Asker asker);

 private:
  using Packet = std::vector<std::uint8_t>;
  std::vector<Endpoint> in_order(const Name& name);
  asio::awaitable<Result<Packet>> send(Endpoint server, Packet query, net::Transport transport);
  asio::awaitable<Result<Packet>> ask_over_udp(Endpoint server, Asker asker);
  asio::awaitable<Result<ForeignReplyPtr>> ask_one(Endpoint server, Asker asker);

  UpstreamSettings settings_;
  DnsCounters& counters_;
  std::map<Endpoint, Instant> failed_at_;
  std::map<Endpoint, Instant> folds_case_until_;
};

}  // namespace devstack::dns
