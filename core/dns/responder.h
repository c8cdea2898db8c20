#pragma once

#include <atomic>
#include <memory>
#include <span>

#include "core/dns/answer.h"
#include "core/dns/codec.h"
#include "core/dns/forwarder.h"
#include "core/dns/journal.h"
#include "core/dns/resolution.h"
#include "core/registry/registry.h"

namespace devstack::dns {

/// Request bytes to reply bytes: everything of the server but sockets. DNS thread only. Private to core/dns.
class Responder {
 public:
  /// `journal` gets every reply, and outlives it. stop() before destruction.
  Responder(const asio::any_io_executor& executor, const registry::RegistryView& view, AnswerOptions options,
            UpstreamSettings upstreams, Journal& journal);

  /// Who asks, and how.
  struct Client {
    asio::ip::address address;
    net::Transport transport = net::Transport::udp;
  };

  /// What is left to do for a request that needs a recursor.
  struct Pending {
    Message query;
    Answer answer;
    Client client;
    std::uint64_t seed;
    std::optional<Asker> asker;
    Instant came;
  };
  enum class Outcome {
    drop,     ///< nothing is sent
    reply,    ///< `size` bytes of `out`
    forward,  ///< co_await finish(pending)
  };
  struct Step {
    Outcome outcome = Outcome::drop;
    std::size_t size = 0;
    std::unique_ptr<Pending> pending;
  };

  /// Takes the newest snapshot for the requests that follow; once for each batch.
  void refresh();
  /// Answers from the snapshot, without waiting. `out` has room for any reply.
  Step begin(Bytes request, const Client& client, std::span<std::uint8_t> out);
  /// Asks a recursor. `request` is the message that began it.
  asio::awaitable<std::vector<std::uint8_t>> finish(std::unique_ptr<Pending> pending,
                                                    std::vector<std::uint8_t> request);

  Forwarder& forwarder() { return forwarder_; }
  asio::awaitable<void> stop() { return forwarder_.stop(); }

  /// TCP connections open on all listeners.
  std::size_t connections = 0;
  static constexpr std::size_t max_connections = 256;

 private:
  Step reply(const Message& message, std::span<std::uint8_t> out);
  /// The question is for others: what to say at once, if anything.
  std::optional<Step> answered_at_once(const Message& query, const std::optional<Asker>& asker, const Client& client,
                                       std::span<std::uint8_t> out);
  asio::awaitable<std::vector<std::uint8_t>> forward(std::unique_ptr<Pending> pending,
                                                     std::vector<std::uint8_t> request);
  asio::awaitable<void> follow_alias(Pending& pending);
  void note(const Client& client, Name name, Type type, Rcode rcode, Source source, Instant came);

  const registry::RegistryView& view_;
  AnswerOptions options_;
  Forwarder forwarder_;
  Encoder encoder_;
  Random random_;
  std::shared_ptr<const registry::State> state_;
  Journal& journal_;
  std::int64_t unix_us_ = 0;  // when the batch was taken up
  Instant began_;             // the same moment
};

}  // namespace devstack::dns
