#pragma once

#include <atomic>
#include <memory>
#include <span>

#include "core/dns/answer.h"
#include "core/dns/codec.h"
#include "core/dns/forwarder.h"
#include "core/dns/resolution.h"
#include "core/registry/registry.h"

namespace devstack::dns {

/// Request bytes to reply bytes: everything of the server but sockets. DNS thread only. Private to core/dns.
class Responder {
 public:
  Responder(const registry::RegistryView& view, AnswerOptions options, Recursors recursors,
            std::chrono::milliseconds recursor_timeout);

  /// What is left to do for a request that needs a recursor.
  struct Pending {
    Message query;
    Answer answer;
    net::Transport transport;
    std::uint64_t seed;
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
  Step begin(Bytes request, net::Transport transport, std::span<std::uint8_t> out);
  /// Asks a recursor. `request` is the message that began it.
  asio::awaitable<std::vector<std::uint8_t>> finish(std::unique_ptr<Pending> pending,
                                                    std::vector<std::uint8_t> request);

  Forwarder& forwarder() { return forwarder_; }

  /// TCP connections open on all listeners.
  std::size_t connections = 0;
  static constexpr std::size_t max_connections = 256;

 private:
  Step reply(const Message& message, std::span<std::uint8_t> out);
  asio::awaitable<void> follow_alias(Pending& pending);

  const registry::RegistryView& view_;
  AnswerOptions options_;
  Forwarder forwarder_;
  Encoder encoder_;
  Random random_;
  std::shared_ptr<const registry::State> state_;
  std::int64_t unix_time_ = 0;
};

}  // namespace devstack::dns
