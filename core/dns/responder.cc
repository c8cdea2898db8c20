#include "core/dns/responder.h"

#include <sys/random.h>

#include <chrono>

#include "core/dns/query.h"

namespace devstack::dns {
namespace {

using Packet = std::vector<std::uint8_t>;

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  if (::getrandom(&seed, sizeof seed, 0) != static_cast<ssize_t>(sizeof seed)) {
    seed = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  }
  return seed;
}

std::int64_t unix_now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::int64_t microseconds(std::chrono::steady_clock::duration span) {
  return std::chrono::duration_cast<std::chrono::microseconds>(span).count();
}

/// Moves with everything that answers are made from, and not with keys and sessions.
Responder::Indexes indexes_of(const registry::State& state, std::uint64_t records) {
  using Table = registry::Watch::Table;
  return {state.index_of({Table::nodes, {}}),
          state.index_of({Table::services, {}}),
          state.index_of({Table::checks, {}}),
          state.index_of({Table::queries, {}}),
          state.restored_at(),
          records};
}

/// The rcode of a reply in bytes.
Rcode rcode_of(Bytes reply) { return static_cast<Rcode>(reply[3] & 0x0f); }

}  // namespace

Responder::Responder(const asio::any_io_executor& executor, const registry::RegistryView& view,
                     const RecordBook& records, AnswerOptions options, std::optional<UpstreamSettings> upstreams,
                     Journal& journal)
    : view_(view),
      records_(records),
      options_(std::move(options)),
      random_(random_seed()),
      replies_(random_.next()),
      journal_(journal) {
  if (upstreams) forwarder_ = std::make_unique<Forwarder>(executor, std::move(*upstreams), journal.counters);
}

asio::awaitable<void> Responder::stop() {
  if (forwarder_) co_await forwarder_->stop();
}

void Responder::refresh() {
  auto now = view_.snapshot();
  auto edition = indexes_.back();
  if (edition != records_.number()) {
    const auto newest = records_.read();
    edition = newest->number;
    options_.records = newest->records;
  }
  if (now != state_ || edition != indexes_.back()) {
    state_ = std::move(now);
    if (const auto indexes = indexes_of(*state_, edition); indexes != indexes_) {
      indexes_ = indexes;
      replies_.forget();
    }
  }
  unix_us_ = unix_now_us();
  began_ = std::chrono::steady_clock::now();
}

Responder::Step Responder::reply(const Message& message, std::span<std::uint8_t> out) {
  Step step;
  step.size = encoder_.encode(message, out);
  step.outcome = step.size == 0 ? Outcome::drop : Outcome::reply;
  return step;
}

QueryNote Responder::noted(const Client& client, std::string_view name, Type type, Rcode rcode, Source source,
                           Instant came) const {
  QueryNote query;
  query.unix_us = unix_us_ + microseconds(came - began_);
  query.latency_us = static_cast<std::uint32_t>(microseconds(std::chrono::steady_clock::now() - came));
  query.client = client.address;
  query.name = name;
  query.type = type;
  query.rcode = rcode;
  query.source = source;
  return query;
}

std::optional<Responder::Step> Responder::again(Bytes request, const Client& client, std::span<std::uint8_t> out) {
  if (client.transport != net::Transport::udp) return std::nullopt;
  const auto hit = replies_.find(request, began_, random_, out);
  if (!hit) return std::nullopt;
  journal_.note(noted(client, hit->name, hit->type, hit->rcode, hit->source, began_), *hit->counted);
  Step step;
  step.outcome = Outcome::reply;
  step.size = hit->size;
  step.source = hit->source;
  step.repeat = hit->repeat;
  return step;
}

void Responder::keep(Bytes request, const Client& client, Step& step, const Question& question, Rcode rcode,
                     std::span<const std::uint8_t> out) {
  NameCounters::Place counted;
  const auto query = noted(client, question.name.wire(), question.type, rcode, step.source, began_);
  journal_.note(query, counted);
  if (step.outcome != Outcome::reply || !step.repeat || client.transport != net::Transport::udp) return;
  replies_.keep(request, out.first(step.size), step.source, *step.repeat, counted);
}

Responder::Step Responder::begin(Bytes request, const Client& client, std::span<std::uint8_t> out) {
  if (auto step = again(request, client, out)) return std::move(*step);
  const auto header = decode_header(request);
  if (!header || header->response) return {};
  auto message = decode(request);
  const bool known_opcode = header->opcode == Opcode::query || header->opcode == Opcode::notify;
  auto refusal = known_opcode ? Rcode::formerr : Rcode::notimp;
  if (message) refusal = acceptable(*message);
  if (refusal != Rcode::noerror) {
    note(client, {{}, Type::any}, refusal, Source::registry, began_);
    return reply(header_reply(*header, refusal), out);
  }

  const std::uint64_t seed = random_.next();
  const Query query{*message, client.transport, seed, unix_us_ / 1'000'000, client.address};
  Answer made = answer(query, *state_, options_);
  if (made.forward != Answer::Forward::no) {
    return forwarded(request, std::move(*message), std::move(made), seed, client, out);
  }
  auto step = reply(made.message, out);
  if (!made.for_this_asker) {
    step.repeat = repeatable(query, made.message, out.first(step.size), options_, began_, unix_us_);
  }
  keep(request, client, step, message->questions.front(), made.message.header.rcode, out);
  return step;
}

Responder::Step Responder::forwarded(Bytes request, Message query, Answer made, std::uint64_t seed,
                                     const Client& client, std::span<std::uint8_t> out) {
  Step step;
  if (!forwarder_) {
    step.outcome = Outcome::others;
    return step;
  }
  std::optional<Asker> asker;
  if (made.forward == Answer::Forward::whole) {
    asker = asker_of(query, client.transport);
    if (auto at_once = answered_at_once(query, asker, out)) {
      // Options may be answered in kind, to this client only.
      if (query.edns && !query.edns->options.empty()) at_once->repeat.reset();
      keep(request, client, *at_once, query.questions.front(), rcode_of(out), out);
      return std::move(*at_once);
    }
  }
  step.outcome = Outcome::forward;
  step.pending =
      std::make_unique<Pending>(Pending{std::move(query), std::move(made), client, seed, std::move(asker), began_});
  return step;
}

Responder::Step Responder::refuse(Bytes request, const Client& client, std::span<std::uint8_t> out) {
  const auto message = decode(request);
  if (!message || message->questions.size() != 1) return {};
  note(client, message->questions.front(), Rcode::servfail, Source::upstream, began_);
  return reply(bare_reply(*message, Rcode::servfail, options_), out);
}

std::optional<Responder::Step> Responder::answered_at_once(const Message& query, const std::optional<Asker>& asker,
                                                           std::span<std::uint8_t> out) {
  const auto& question = query.questions.front();
  const auto way = forwarder_->upstreams().way(question.name);
  const bool probe = forwarder_->is_own_probe(question.name);
  Rcode rcode = Rcode::noerror;
  if (way == Upstreams::Way::no_such_name) rcode = Rcode::nxdomain;
  if (way == Upstreams::Way::nobody || probe) rcode = Rcode::refused;
  if (rcode != Rcode::noerror) {
    auto step = reply(bare_reply(query, rcode, options_), out);
    if (!probe) step.repeat = Repeat{};
    return step;
  }
  if (!asker) return std::nullopt;
  const auto known = forwarder_->known(*asker);
  if (!known) return std::nullopt;
  Step step;
  if (known->reply) {
    step.outcome = Outcome::reply;
    step.size = write_foreign(*known->reply, *asker, known->age, out);
    if (known->source == Source::cache) step.repeat.emplace().until = known->same_until;
  } else {
    step = reply(bare_reply(query, Rcode::servfail, options_), out);
  }
  step.source = known->source;
  return step;
}

asio::awaitable<Packet> Responder::finish(std::unique_ptr<Pending> pending, Packet request) {
  if (pending->answer.forward == Answer::Forward::whole) {
    co_return co_await forward(std::move(pending), std::move(request));
  }
  co_await follow_aliases(*pending);
  const auto& question = pending->query.questions.front();
  note(pending->client, question, pending->answer.message.header.rcode, Source::registry, pending->came);
  co_return encode(pending->answer.message);
}

asio::awaitable<Packet> Responder::forward(std::unique_ptr<Pending> pending, Packet request) {
  const auto& question = pending->query.questions.front();
  Packet out;
  auto source = Source::upstream;
  if (pending->asker) {
    const auto relayed = co_await forwarder_->ask(*pending->asker, pending->client.address);
    source = relayed.source;
    if (relayed.reply) {
      out.resize(max_message_bytes);
      out.resize(write_foreign(*relayed.reply, *pending->asker, relayed.age, out));
    }
  } else {
    auto relayed = co_await forwarder_->relay(std::move(request), question.name, pending->client.transport);
    if (relayed) out = std::move(*relayed);
  }
  if (out.empty()) out = encode(pending->answer.message);
  note(pending->client, question, rcode_of(out), source, pending->came);
  co_return out;
}

asio::awaitable<void> Responder::follow_aliases(Pending& pending) {
  const Type asked = pending.query.questions.front().type;
  for (auto& outside : pending.answer.outside) {
    if (forwarder_->upstreams().way(outside.name) != Upstreams::Way::ask) continue;
    Asker asker;
    asker.question = {outside.name, asked == Type::aaaa ? Type::aaaa : Type::a, class_in};
    auto relayed = forwarder_->known(asker);
    if (!relayed) {
      relayed = co_await forwarder_->ask(asker, pending.client.address);
    }
    if (!relayed->reply) break;  // nobody answers now: the other names would only cost their time as well
    asker.transport = net::Transport::tcp;
    Packet bytes(max_message_bytes);
    bytes.resize(write_foreign(*relayed->reply, asker, relayed->age, bytes));
    if (auto decoded = decode(bytes)) outside.said = std::move(*decoded);
  }
  complete(pending.answer,
           Query{pending.query, pending.client.transport, pending.seed, unix_us_ / 1'000'000, pending.client.address},
           options_);
}

}  // namespace devstack::dns
