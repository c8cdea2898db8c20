#include "core/dns/answer.h"

#include "core/dns/fit.h"
#include "core/dns/resolution.h"

namespace devstack::dns {
namespace {

constexpr std::uint16_t client_subnet_option = 8;

/// The client-subnet options of `options` with scope 0: the answer is the same for everybody (RFC 7871 §7.2.1).
std::string client_subnets(std::string_view options) {
  std::string out;
  while (options.size() >= 4) {
    const auto u16 = [&](std::size_t at) {
      return static_cast<std::size_t>(static_cast<unsigned char>(options[at])) << 8 |
             static_cast<unsigned char>(options[at + 1]);
    };
    const std::size_t size = 4 + u16(2);
    if (size > options.size()) break;
    if (u16(0) == client_subnet_option && size >= 8) {
      out += options.substr(0, size);
      out[out.size() - size + 7] = '\0';
    }
    options.remove_prefix(size);
  }
  return out;
}

/// The name our answer ends in, when it is an alias that points out of our zones.
const Name* outside_alias(const Message& reply, const AnswerOptions& options) {
  if (reply.answers.empty() || reply.answers.back().type != Type::cname) return nullptr;
  const Name& target = std::get<Target>(reply.answers.back().data).name;
  return find_zone(target, options.domains) == nullptr ? &target : nullptr;
}

}  // namespace

Message header_reply(const Header& query, Rcode rcode) {
  Message reply;
  reply.header.id = query.id;
  reply.header.response = true;
  reply.header.opcode = query.opcode;
  reply.header.recursion_desired = query.recursion_desired;
  reply.header.checking_disabled = query.checking_disabled;
  reply.header.rcode = rcode;
  return reply;
}

Message bare_reply(const Message& query, Rcode rcode, const AnswerOptions& options) {
  Message reply = header_reply(query.header, rcode);
  reply.header.recursion_available = options.recursion;
  reply.questions = query.questions;
  if (query.edns) {
    reply.edns.emplace();
    reply.edns->udp_bytes = query.edns->udp_bytes;
    reply.edns->options = client_subnets(query.edns->options);
  }
  return reply;
}

Rcode acceptable(const Message& query) {
  if (query.header.opcode != Opcode::query && query.header.opcode != Opcode::notify) return Rcode::notimp;
  const std::size_t additional = query.additional.size() + (query.edns ? 1 : 0);
  const bool plausible =
      query.questions.size() == 1 && query.answers.size() <= 1 && query.authority.size() <= 1 && additional <= 2;
  return plausible ? Rcode::noerror : Rcode::formerr;
}

Answer answer(const Query& query, const registry::State& state, const AnswerOptions& options) {
  Answer out;
  out.message = bare_reply(query.message, Rcode::noerror, options);
  Resolution resolution(query, state, options);
  resolution.run(out.message);
  if (resolution.forward_whole()) {
    out.forward = Answer::Forward::whole;
    return out;
  }
  fit(out.message, resolution.extras(), query, options);
  if (options.recursion && outside_alias(out.message, options) != nullptr) out.forward = Answer::Forward::alias;
  return out;
}

void append_alias(Message& reply, const Message& upstream, const Query& query, const AnswerOptions& options) {
  constexpr std::size_t plain_udp_chased = 5;
  if (reply.answers.empty()) return;
  const std::uint32_t ttl = reply.answers.back().ttl;
  std::size_t count = 0;
  for (const auto& record : upstream.answers) {
    if (record.type != Type::cname && record.type != Type::a && record.type != Type::aaaa) continue;
    if (!query.message.edns && count == plain_udp_chased) break;
    reply.answers.push_back(record);
    reply.answers.back().ttl = ttl;
    ++count;
  }
  fit(reply, {}, query, options);
}

}  // namespace devstack::dns
