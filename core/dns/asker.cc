#include "core/dns/asker.h"

#include <algorithm>

namespace devstack::dns {
namespace {

constexpr std::uint16_t client_subnet_option = 8;
constexpr std::uint16_t upstream_udp_bytes = 1232;
constexpr std::uint16_t dnssec_ok_flag = 0x8000;

bool has_option(std::string_view options, std::uint16_t wanted) {
  while (options.size() >= 4) {
    const auto u16 = [&](std::size_t at) {
      return static_cast<std::size_t>(static_cast<unsigned char>(options[at])) << 8 |
             static_cast<unsigned char>(options[at + 1]);
    };
    if (u16(0) == wanted) return true;
    options.remove_prefix(std::min(options.size(), 4 + u16(2)));
  }
  return false;
}

bool is_letter(std::uint8_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

std::optional<Asker> asker_of(const Message& query, net::Transport transport) {
  const Header& header = query.header;
  const bool plain = header.opcode == Opcode::query && header.recursion_desired && query.questions.size() == 1 &&
                     query.answers.empty() && query.authority.empty() && query.additional.empty();
  if (!plain) return std::nullopt;
  Asker out;
  out.question = query.questions.front();
  out.id = header.id;
  out.transport = transport;
  out.checking_disabled = header.checking_disabled;
  if (query.edns) {
    if (query.edns->version != 0 || has_option(query.edns->options, client_subnet_option)) return std::nullopt;
    out.edns = true;
    out.udp_bytes = std::max<std::uint16_t>(query.edns->udp_bytes, 512);
    out.dnssec_ok = (query.edns->flags & dnssec_ok_flag) != 0;
  }
  out.wants_authentic = header.authentic_data || out.dnssec_ok;
  return out;
}

std::string cache_key(const Asker& asker) {
  const auto type = static_cast<std::uint16_t>(asker.question.type);
  const std::uint16_t klass = asker.question.klass;
  std::string out;
  const auto wire = asker.question.name.wire();
  out.reserve(wire.size() + 5);
  for (const char c : wire) out += to_lower(c);
  out +=
      {static_cast<char>(type >> 8), static_cast<char>(type), static_cast<char>(klass >> 8), static_cast<char>(klass)};
  out += static_cast<char>((asker.dnssec_ok ? 1 : 0) | (asker.checking_disabled ? 2 : 0));
  return out;
}

std::vector<std::uint8_t> upstream_query(const Asker& asker, std::uint16_t id, WithEdns edns) {
  Message query;
  query.header.id = id;
  query.header.recursion_desired = true;
  query.header.authentic_data = true;
  query.header.checking_disabled = asker.checking_disabled;
  query.questions.push_back(asker.question);
  if (edns == WithEdns::yes) {
    query.edns.emplace();
    query.edns->udp_bytes = upstream_udp_bytes;
    query.edns->flags = asker.dnssec_ok ? dnssec_ok_flag : 0;
  }
  return encode(query);
}

void randomise_case(std::span<std::uint8_t> query, std::span<const std::uint8_t> random) {
  if (random.empty()) return;
  std::size_t bit = 0;
  std::size_t at = header_bytes;
  while (at < query.size() && query[at] != 0 && query[at] < 64) {
    const std::size_t end = std::min<std::size_t>(query.size(), at + 1U + query[at]);
    for (++at; at < end; ++at) {
      if (!is_letter(query[at])) continue;
      const bool upper = (random[bit / 8 % random.size()] >> (bit % 8) & 1) != 0;
      query[at] = static_cast<std::uint8_t>(upper ? query[at] & ~0x20 : query[at] | 0x20);
      ++bit;
    }
  }
}

bool same_case(Bytes reply, Bytes query) {
  const auto end = question_end(query);
  return end && reply.size() >= *end &&
         std::equal(query.begin() + header_bytes, query.begin() + static_cast<std::ptrdiff_t>(*end),
                    reply.begin() + header_bytes);
}

}  // namespace devstack::dns
