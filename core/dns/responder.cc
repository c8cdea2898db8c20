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

/// The rcode of a reply in bytes.
Rcode rcode_of(Bytes reply) { return static_cast<Rcode>(reply[3] & 0x0f); }

}  // namespace

Responder::Responder(const asio::any_io_executor& executor, const registry::RegistryView& view, AnswerOptions options,
                     UpstreamSettings upstreams, Journal& journal)
    : view_(view),
      options_(std::move(options)),
      forwarder_(executor, std::move(upstreams), journal.counters),
      random_(random_seed()),
      journal_(journal) {}

void Responder::refresh() {
  state_ = view_.snapshot();
  unix_us_ = unix_now_us();
  began_ = std::chrono::steady_clock::now();
}

Responder::Step Responder::reply(const Message& message, std::span<std::uint8_t> out) {
  Step step;
  step.size = encoder_.encode(message, out);
  step.outcome = step.size == 0 ? Outcome::drop : Outcome::reply;
  return step;
}

void Responder::note(const Client& client, Name name, Type type, Rcode rcode, Source source, Instant came) {
  LoggedQuery query;
  query.unix_us = unix_us_ + microseconds(came - began_);
  query.latency_us = static_cast<std::uint32_t>(microseconds(std::chrono::steady_clock::now() - came));
  query.client = client.address;
  query.name = std::move(name);
  query.type = type;
  query.rcode = rcode;
  query.source = source;
  journal_.note(query);
}

Responder::Step Responder::begin(Bytes request, const Client& client, std::span<std::uint8_t> out) {
  const auto header = decode_header(request);
  if (!header || header->response) return {};
  auto message = decode(request);
  const bool known_opcode = header->opcode == Opcode::query || header->opcode == Opcode::notify;
  auto refusal = known_opcode ? Rcode::formerr : Rcode::notimp;
  if (message) refusal = acceptable(*message);
  if (refusal != Rcode::noerror) {
    note(client, {}, Type::any, refusal, Source::registry, began_);
    return reply(header_reply(*header, refusal), out);
  }

  auto& question = message->questions.front();
  const std::uint64_t seed = random_.next();
  Answer made = answer(Query{*message, client.transport, seed, unix_us_ / 1'000'000}, *state_, options_);
  if (made.forward == Answer::Forward::no) {
    auto step = reply(made.message, out);
    note(client, std::move(question.name), question.type, made.message.header.rcode, Source::registry, began_);
    return step;
  }
  std::optional<Asker> asker;
  if (made.forward == Answer::Forward::whole) {
    asker = asker_of(*message, client.transport);
    if (auto step = answered_at_once(*message, asker, client, out)) return std::move(*step);
  }
  Step step;
  step.outcome = Outcome::forward;
  step.pending =
      std::make_unique<Pending>(Pending{std::move(*message), std::move(made), client, seed, std::move(asker), began_});
  return step;
}

std::optional<Responder::Step> Responder::answered_at_once(const Message& query, const std::optional<Asker>& asker,
                                                           const Client& client, std::span<std::uint8_t> out) {
  const auto& question = query.questions.front();
  const auto way = forwarder_.upstreams().way(question.name);
  Rcode rcode = Rcode::noerror;
  if (way == Upstreams::Way::no_such_name) rcode = Rcode::nxdomain;
  if (way == Upstreams::Way::nobody || forwarder_.is_own_probe(question.name)) rcode = Rcode::refused;
  if (rcode != Rcode::noerror) {
    auto step = reply(bare_reply(query, rcode, options_), out);
    note(client, question.name, question.type, rcode, Source::registry, began_);
    return step;
  }
  if (!asker) return std::nullopt;
  const auto known = forwarder_.known(*asker);
  if (!known) return std::nullopt;
  Step step;
  if (known->reply) {
    step.outcome = Outcome::reply;
    step.size = write_foreign(*known->reply, *asker, known->age, out);
  } else {
    step = reply(bare_reply(query, Rcode::servfail, options_), out);
  }
  note(client, question.name, question.type, known->reply ? known->reply->rcode : Rcode::servfail, known->source,
       began_);
  return step;
}

asio::awaitable<Packet> Responder::finish(std::unique_ptr<Pending> pending, Packet request) {
  if (pending->answer.forward == Answer::Forward::whole) {
    co_return co_await forward(std::move(pending), std::move(request));
  }
  co_await follow_alias(*pending);
  const auto& question = pending->query.questions.front();
  note(pending->client, question.name, question.type, pending->answer.message.header.rcode, Source::registry,
       pending->came);
  co_return encode(pending->answer.message);
}

asio::awaitable<Packet> Responder::forward(std::unique_ptr<Pending> pending, Packet request) {
  const auto& question = pending->query.questions.front();
  Packet out;
  auto source = Source::upstream;
  if (pending->asker) {
    const auto relayed = co_await forwarder_.ask(*pending->asker, pending->client.address);
    source = relayed.source;
    if (relayed.reply) {
      out.resize(max_message_bytes);
      out.resize(write_foreign(*relayed.reply, *pending->asker, relayed.age, out));
    }
  } else {
    auto relayed = co_await forwarder_.relay(std::move(request), question.name, pending->client.transport);
    if (relayed) out = std::move(*relayed);
  }
  if (out.empty()) out = encode(pending->answer.message);
  note(pending->client, question.name, question.type, rcode_of(out), source, pending->came);
  co_return out;
}

asio::awaitable<void> Responder::follow_alias(Pending& pending) {
  Asker asker;
  const auto& target = std::get<Target>(pending.answer.message.answers.back().data).name;
  const Type type = pending.query.questions.front().type == Type::aaaa ? Type::aaaa : Type::a;
  asker.question = {target, type, class_in};
  if (forwarder_.upstreams().way(target) != Upstreams::Way::ask) co_return;
  auto relayed = forwarder_.known(asker);
  if (!relayed) {
    relayed = co_await forwarder_.ask(asker, pending.client.address);
  }
  if (!relayed->reply) co_return;
  asker.transport = net::Transport::tcp;
  Packet bytes(max_message_bytes);
  bytes.resize(write_foreign(*relayed->reply, asker, relayed->age, bytes));
  const auto decoded = decode(bytes);
  if (!decoded) co_return;
  append_alias(pending.answer.message, *decoded,
               Query{pending.query, pending.client.transport, pending.seed, unix_us_ / 1'000'000}, options_);
}

}  // namespace devstack::dns
