#include "core/dns/answer.h"

#include <algorithm>
#include <iterator>

#include "core/dns/client_subnet.h"
#include "core/dns/fit.h"
#include "core/dns/resolution.h"

namespace devstack::dns {
namespace {

/// The target of an alias or of SRV; null for any other record.
const Name* target_of(const Record& record) {
  if (record.type == Type::cname) return &std::get<Target>(record.data).name;
  if (record.type == Type::srv) return &std::get<Srv>(record.data).target;
  return nullptr;
}

/// Where a reply leads out of our zones, without the names that it has something of itself (fixed records).
std::vector<Answer::Outside> outside_of(const Message& reply, const AnswerOptions& options) {
  constexpr std::size_t most = 8;  // each may cost the client a recursor's timeout
  std::vector<Answer::Outside> out;
  const auto owned = [&](const Name& name) {
    for (const auto* section : {&reply.answers, &reply.additional}) {
      if (std::any_of(section->begin(), section->end(), [&](const Record& one) { return one.name == name; }))
        return true;
    }
    return false;
  };
  for (const auto* section : {&reply.answers, &reply.additional}) {
    for (const auto& record : *section) {
      const Name* target = target_of(record);
      if (target == nullptr || out.size() == most || find_zone(*target, options.domains) != nullptr) continue;
      const bool known = std::any_of(out.begin(), out.end(), [&](const auto& one) { return one.name == *target; });
      if (!known && !owned(*target)) out.push_back({*target});
    }
  }
  return out;
}

/// Aliases and addresses that a recursor said: all, or as many as Consul gives who asks without EDNS.
std::vector<Record> chased(const Message& said, bool edns, std::optional<std::uint32_t> ttl) {
  constexpr std::size_t without_edns = 5;
  std::vector<Record> out;
  for (const auto& record : said.answers) {
    if (record.type != Type::cname && record.type != Type::a && record.type != Type::aaaa) continue;
    if (!edns && out.size() == without_edns) break;
    out.push_back(record);
    if (ttl) out.back().ttl = *ttl;
  }
  return out;
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
    if (const auto subnet = ClientSubnet::find(query.edns->options)) reply.edns->options = subnet->option(0);
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
  out.keeps_ttl = resolution.keeps_ttl();
  out.for_this_asker = resolution.for_this_asker();
  if (options.recursion) out.outside = outside_of(out.message, options);
  if (out.outside.empty()) {
    fit(out.message, query, options);
  } else {
    out.forward = Answer::Forward::alias;
  }
  return out;
}

void complete(Answer& answer, const Query& query, const AnswerOptions& options) {
  auto& reply = answer.message;
  const bool edns = query.message.edns.has_value();
  const auto add = [&](const std::vector<Record>& leading, std::vector<Record>& to, Type type) {
    std::vector<Record> found;
    for (const auto& record : leading) {
      const Name* target = record.type == type ? target_of(record) : nullptr;
      if (target == nullptr) continue;
      for (const auto& one : answer.outside) {
        if (!one.said || !(one.name == *target)) continue;
        auto records = chased(*one.said, edns, answer.keeps_ttl ? std::nullopt : std::optional(record.ttl));
        std::move(records.begin(), records.end(), std::back_inserter(found));
      }
    }
    std::move(found.begin(), found.end(), std::back_inserter(to));
  };
  add(reply.answers, reply.answers, Type::cname);
  add(reply.additional, reply.additional, Type::cname);
  add(reply.answers, reply.additional, Type::srv);
  fit(reply, query, options);
}

}  // namespace devstack::dns
