#include "core/dns/responder.h"

#include <sys/random.h>

#include <chrono>

#include "core/dns/query.h"

namespace devstack::dns {
namespace {

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  if (::getrandom(&seed, sizeof seed, 0) != static_cast<ssize_t>(sizeof seed)) {
    seed = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  }
  return seed;
}

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

Responder::Responder(const registry::RegistryView& view, AnswerOptions options, Recursors recursors,
                     std::chrono::milliseconds recursor_timeout)
    : view_(view),
      options_(std::move(options)),
      forwarder_(std::move(recursors), recursor_timeout),
      random_(random_seed()) {}

void Responder::refresh() {
  state_ = view_.snapshot();
  unix_time_ = unix_now();
}

Responder::Step Responder::reply(const Message& message, std::span<std::uint8_t> out) {
  Step step;
  step.size = encoder_.encode(message, out);
  step.outcome = step.size == 0 ? Outcome::drop : Outcome::reply;
  return step;
}

Responder::Step Responder::begin(Bytes request, net::Transport transport, std::span<std::uint8_t> out) {
  const auto header = decode_header(request);
  if (!header || header->response) return {};
  auto message = decode(request);
  if (!message) {
    const bool known = header->opcode == Opcode::query || header->opcode == Opcode::notify;
    return reply(header_reply(*header, known ? Rcode::formerr : Rcode::notimp), out);
  }
  if (const auto rcode = acceptable(*message); rcode != Rcode::noerror) return reply(header_reply(*header, rcode), out);
  const std::uint64_t seed = random_.next();
  Answer made = answer(Query{*message, transport, seed, unix_time_}, *state_, options_);
  if (made.forward == Answer::Forward::no) return reply(made.message, out);
  Step step;
  step.outcome = Outcome::forward;
  step.pending = std::make_unique<Pending>(Pending{std::move(*message), std::move(made), transport, seed});
  return step;
}

asio::awaitable<std::vector<std::uint8_t>> Responder::finish(std::unique_ptr<Pending> pending,
                                                             std::vector<std::uint8_t> request) {
  if (pending->answer.forward == Answer::Forward::whole) {
    auto upstream = co_await forwarder_.ask(std::move(request), pending->transport);
    if (upstream) co_return std::move(*upstream);
    co_return encode(pending->answer.message);
  }
  co_await follow_alias(*pending);
  co_return encode(pending->answer.message);
}

asio::awaitable<void> Responder::follow_alias(Pending& pending) {
  Message question;
  question.header.recursion_desired = true;
  const auto& target = std::get<Target>(pending.answer.message.answers.back().data).name;
  const Type type = pending.query.questions.front().type == Type::aaaa ? Type::aaaa : Type::a;
  question.questions.push_back({target, type, class_in});
  auto bytes = encode(question);
  const auto upstream = co_await forwarder_.ask(std::move(bytes), net::Transport::udp);
  if (!upstream) co_return;
  const auto decoded = decode(*upstream);
  if (!decoded) co_return;
  append_alias(pending.answer.message, *decoded, Query{pending.query, pending.transport, pending.seed, unix_time_},
               options_);
}

}  // namespace devstack::dns
