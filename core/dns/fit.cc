#include "core/dns/fit.h"

#include <algorithm>

#include "core/dns/codec.h"

namespace devstack::dns {
namespace {

constexpr std::size_t plain_udp_bytes = 512;
constexpr std::size_t udp_margin_bytes = 7;  // Consul's, so that both cut at the same answer
constexpr std::size_t tcp_bytes = 65523;
constexpr std::size_t max_udp_payload_bytes = 65507;
constexpr std::size_t tcp_answers = 4096;
constexpr std::size_t tcp_srv_answers = 1024;
constexpr int hard_udp_answer_limit = 8;

bool has_large_udp(const Query& query) { return query.message.edns && query.message.edns->udp_bytes > plain_udp_bytes; }

std::size_t answer_limit(const Query& query, const AnswerOptions& options) {
  if (query.transport == net::Transport::tcp) {
    return query.message.questions.front().type == Type::srv ? tcp_srv_answers : tcp_answers;
  }
  if (has_large_udp(query)) return SIZE_MAX;
  return static_cast<std::size_t>(std::clamp(options.udp_answer_limit, 0, hard_udp_answer_limit));
}

std::size_t byte_limit(const Query& query) {
  if (query.transport == net::Transport::tcp) return tcp_bytes;
  if (!has_large_udp(query)) return plain_udp_bytes - udp_margin_bytes;
  return std::min<std::size_t>(query.message.edns->udp_bytes, max_udp_payload_bytes) - udp_margin_bytes;
}

std::size_t data_bytes(const Data& data) {
  struct Size {
    std::size_t operator()(const Ipv4&) const { return 4; }
    std::size_t operator()(const Ipv6&) const { return 16; }
    std::size_t operator()(const Target& v) const { return v.name.wire().size(); }
    std::size_t operator()(const Mx& v) const { return 2 + v.exchange.wire().size(); }
    std::size_t operator()(const Srv& v) const { return 6 + v.target.wire().size(); }
    std::size_t operator()(const Txt& v) const {
      std::size_t sum = 0;
      for (const auto& string : v.strings) sum += 1 + string.size();
      return sum;
    }
    std::size_t operator()(const Soa& v) const { return 20 + v.primary.wire().size() + v.mailbox.wire().size(); }
    std::size_t operator()(const Opaque& v) const { return v.bytes.size(); }
  };
  return std::visit(Size{}, data);
}

/// At least the size of the encoded message; cheap, so that the common small reply is not encoded twice.
std::size_t upper_bound(const Message& message) {
  std::size_t sum = header_bytes + (message.edns ? 11 + message.edns->options.size() : 0);
  for (const auto& question : message.questions) sum += question.name.wire().size() + 4;
  for (const auto* section : {&message.answers, &message.authority, &message.additional}) {
    for (const auto& record : *section) sum += record.name.wire().size() + 10 + data_bytes(record.data);
  }
  return sum;
}

bool fits(const Message& message, std::size_t limit) {
  if (upper_bound(message) <= limit) return true;
  thread_local Encoder encoder;
  thread_local std::vector<std::uint8_t> scratch(max_message_bytes);
  return encoder.encode(message, std::span(scratch).first(limit)) != 0;
}

/// The first `count` answers of `full` with the additional records that belong to them.
Message with_answers(const Message& full, std::size_t count, const ExtrasThrough& extras) {
  Message out = full;
  out.answers.resize(count);
  if (!extras.empty()) out.additional.resize(count == 0 ? 0 : std::min(extras[count - 1], out.additional.size()));
  return out;
}

bool is_address(const Record& record) { return record.type == Type::a || record.type == Type::aaaa; }

/// The additional records that matter, addresses of targets, with the counts to match.
ExtrasThrough drop_metadata(Message& reply, const ExtrasThrough& extras) {
  ExtrasThrough out;
  std::vector<Record> kept;
  std::size_t next = 0;
  const auto keep_until = [&](std::size_t end) {
    for (; next < end; ++next) {
      if (is_address(reply.additional[next])) kept.push_back(std::move(reply.additional[next]));
    }
  };
  for (const std::size_t through : extras) {
    keep_until(std::min(through, reply.additional.size()));
    out.push_back(kept.size());
  }
  keep_until(reply.additional.size());
  reply.additional = std::move(kept);
  return out;
}

}  // namespace

void fit(Message& reply, const ExtrasThrough& given, const Query& query, const AnswerOptions& options) {
  ExtrasThrough extras = given;
  if (const std::size_t most = answer_limit(query, options); reply.answers.size() > most) {
    reply = with_answers(reply, most, extras);
    extras.resize(std::min(extras.size(), most));
  }
  const std::size_t limit = byte_limit(query);
  if (fits(reply, limit)) return;
  extras = drop_metadata(reply, extras);
  if (fits(reply, limit)) return;
  reply.authority.clear();
  if (fits(reply, limit)) return;

  reply.header.truncated = true;
  if (reply.answers.empty()) return reply.additional.clear();
  // The largest count that fits, at least 1.
  std::size_t low = 1;
  std::size_t high = reply.answers.size();
  while (high - low > 1) {
    const std::size_t middle = (low + high) / 2;
    (fits(with_answers(reply, middle, extras), limit) ? low : high) = middle;
  }
  reply = with_answers(reply, low, extras);
  if (!fits(reply, limit)) reply.additional.clear();
}

}  // namespace devstack::dns
