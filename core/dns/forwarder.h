#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>
#include <unordered_map>

#include "core/base/async/signal.h"
#include "core/base/async/task_group.h"
#include "core/dns/cache.h"
#include "core/dns/upstreams.h"

namespace devstack::dns {

/// Answers for names that are not ours: from the cache, or by asking Upstreams. Clients that ask the same thing at the
/// same time share one query; it goes on when they are gone, and fills the cache. An answer past its time is sent when
/// nobody answers, or not within 1.8 s (RFC 8767 §5). One thread (the DNS server's). stop() before destruction.
class Forwarder {
 public:
  static constexpr std::size_t max_queries = 1024;  ///< different questions under way
  static constexpr std::size_t max_waiting = 4096;  ///< clients
  static constexpr int max_relayed_alike = 8;       ///< a question that is no Asker may go round, too
  static constexpr std::chrono::milliseconds client_patience{1800};

  Forwarder(const asio::any_io_executor& executor, UpstreamSettings settings, DnsCounters& counters);

  Upstreams& upstreams() { return upstreams_; }

  struct Relayed {
    ForeignReplyPtr reply;  ///< null: nobody answered
    Age age;
    Source source = Source::upstream;
    Instant same_until{};  ///< of an answer from the cache: until then it is the same in every byte
  };
  /// What can be said without waiting; empty when somebody has to be asked.
  std::optional<Relayed> known(const Asker& asker);
  /// Waits for it. `client` is where the question came from.
  asio::awaitable<Relayed> ask(Asker asker, asio::ip::address client);

  /// True when the question is one of our probes: a server that we asked has sent our own question back to us. Those
  /// who wait for the same thing, itself among them, are told that there is no answer, which ends the loop.
  bool is_own_probe(const Name& name);

  /// For a question that is no Asker.
  asio::awaitable<std::optional<std::vector<std::uint8_t>>> relay(std::vector<std::uint8_t> query, Name name,
                                                                  net::Transport client);
  asio::awaitable<void> stop() { return tasks_.stop(); }

 private:
  /// One question under way.
  struct Flight {
    Flight(const asio::any_io_executor& executor, Asker a, std::string k)
        : changed(executor), asker(std::move(a)), key(std::move(k)) {}
    Signal changed;
    Asker asker;
    std::string key;
    std::shared_ptr<Endpoint> server = std::make_shared<Endpoint>();  // being asked now
    std::string probe;                                                // its first label, once sent
    bool looped = false;
    bool ended = false;
    ForeignReplyPtr reply;
  };
  using FlightPtr = std::shared_ptr<Flight>;

  FlightPtr begin(const Asker& asker, const std::string& key);
  void suspect_loop(const FlightPtr& flight, const asio::ip::address& client);
  static asio::awaitable<void> fly(Forwarder* self, FlightPtr flight);

  asio::any_io_executor executor_;
  DnsCounters& counters_;
  Upstreams upstreams_;
  Cache cache_;
  std::unordered_map<std::string, FlightPtr> flights_;
  std::map<std::string, int, std::less<>> relaying_;  // by name
  std::size_t waiting_ = 0;
  TaskGroup tasks_;
};

}  // namespace devstack::dns
