#pragma once

#include <atomic>
#include <memory>
#include <span>

#include "core/dns/answer.h"
#include "core/dns/codec.h"
#include "core/dns/forwarder.h"
#include "core/dns/journal.h"
#include "core/dns/reply_cache.h"
#include "core/dns/resolution.h"
#include "core/registry/registry.h"

namespace devstack::dns {

/// Request bytes to reply bytes: everything of the server but sockets. One thread. Private to core/dns.
class Responder {
 public:
  /// The fixed answers of `options` hold until `records` has some. `journal` gets every reply; all three outlive it.
  /// Without `upstreams` it asks nobody: what it does not know is another Responder's to answer. stop() before
  /// destruction.
  Responder(const asio::any_io_executor& executor, const registry::RegistryView& view, const RecordBook& records,
            AnswerOptions options, std::optional<UpstreamSettings> upstreams, Journal& journal);

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
    others,   ///< nothing that this Responder knows: give the request to the one with upstreams
  };
  struct Step {
    Outcome outcome = Outcome::drop;
    std::size_t size = 0;
    std::unique_ptr<Pending> pending;
    std::optional<Repeat> repeat;  ///< of a reply: when the same bytes may be answered with the same
    Source source = Source::registry;
  };

  /// Takes the newest snapshot for the requests that follow; once for each batch.
  void refresh();
  /// Answers from the snapshot, without waiting. `out` has room for any reply.
  Step begin(Bytes request, const Client& client, std::span<std::uint8_t> out);
  /// Asks a recursor. `request` is the message that began it.
  asio::awaitable<std::vector<std::uint8_t>> finish(std::unique_ptr<Pending> pending,
                                                    std::vector<std::uint8_t> request);

  /// SERVFAIL, for a request that begin() left to others who have no room for it.
  Step refuse(Bytes request, const Client& client, std::span<std::uint8_t> out);
  /// What replies are made from: the catalog, by the indexes of its parts, and the edition of the fixed answers.
  using Indexes = std::array<registry::Index, 6>;
  [[nodiscard]] const Indexes& indexes() const { return indexes_; }
  /// What another Responder replied to `request` and found to be repeatable; nothing when it did so from another state
  /// of the catalog than the one here.
  void learn(Bytes request, Bytes reply, Source source, const Repeat& repeat, const Indexes& from) {
    if (from == indexes_) replies_.keep(request, reply, source, repeat);
  }
  Journal& journal() { return journal_; }

  /// Only with upstreams.
  Forwarder& forwarder() { return *forwarder_; }
  asio::awaitable<void> stop();

  /// TCP connections open on all listeners.
  std::size_t connections = 0;
  static constexpr std::size_t max_connections = 256;

 private:
  Step reply(const Message& message, std::span<std::uint8_t> out);
  /// A question that was asked before.
  std::optional<Step> again(Bytes request, const Client& client, std::span<std::uint8_t> out);
  /// A question for others.
  Step forwarded(Bytes request, Message query, Answer made, std::uint64_t seed, const Client& client,
                 std::span<std::uint8_t> out);
  /// What to say to it without waiting, if anything.
  std::optional<Step> answered_at_once(const Message& query, const std::optional<Asker>& asker,
                                       std::span<std::uint8_t> out);
  asio::awaitable<std::vector<std::uint8_t>> forward(std::unique_ptr<Pending> pending,
                                                     std::vector<std::uint8_t> request);
  asio::awaitable<void> follow_aliases(Pending& pending);
  /// Notes a reply, and keeps it when it may be sent again.
  void keep(Bytes request, const Client& client, Step& step, const Question& question, Rcode rcode,
            std::span<const std::uint8_t> out);
  QueryNote noted(const Client& client, std::string_view name, Type type, Rcode rcode, Source source,
                  Instant came) const;
  void note(const Client& client, const Question& question, Rcode rcode, Source source, Instant came) {
    journal_.note(noted(client, question.name.wire(), question.type, rcode, source, came));
  }

  const registry::RegistryView& view_;
  const RecordBook& records_;
  AnswerOptions options_;
  std::unique_ptr<Forwarder> forwarder_;
  Encoder encoder_;
  Random random_;
  ReplyCache replies_;
  std::shared_ptr<const registry::State> state_;
  Indexes indexes_{};  // of what answers are made from
  Journal& journal_;
  std::int64_t unix_us_ = 0;  // when the batch was taken up
  Instant began_;             // the same moment
};

}  // namespace devstack::dns
