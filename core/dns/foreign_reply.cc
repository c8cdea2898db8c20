#include "core/dns/foreign_reply.h"

#include <algorithm>

namespace devstack::dns {
namespace {

constexpr std::uint16_t our_udp_bytes = 1232;
constexpr std::size_t opt_bytes = 11;
constexpr std::size_t max_udp_payload_bytes = 65507;

std::uint16_t u16(Bytes bytes, std::size_t at) { return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]); }

void put16(std::span<std::uint8_t> out, std::size_t at, std::size_t value) {
  out[at] = static_cast<std::uint8_t>(value >> 8);
  out[at + 1] = static_cast<std::uint8_t>(value);
}

/// Seconds; a TTL with the top bit set counts as 0 (RFC 2181 §8).
std::int64_t seconds(std::uint32_t ttl) { return ttl > 0x7fffffff ? 0 : static_cast<std::int64_t>(ttl); }

/// Behind the name at `at`; the message has been decoded before, so it is well formed.
std::size_t skip_name(Bytes bytes, std::size_t at) {
  while (bytes[at] != 0) {
    if ((bytes[at] & 0xc0) == 0xc0) return at + 2;
    at += 1U + bytes[at];
  }
  return at + 1;
}

bool is_denial(const Message& message) {
  if (message.header.rcode == Rcode::nxdomain) return true;
  const Type wanted = message.questions.front().type;
  return std::none_of(message.answers.begin(), message.answers.end(),
                      [&](const Record& record) { return record.type == wanted || wanted == Type::any; });
}

std::chrono::seconds lifetime_of(const Message& message, bool denial) {
  const bool final = message.header.rcode == Rcode::noerror || message.header.rcode == Rcode::nxdomain;
  if (!final || message.header.truncated) return std::chrono::seconds(0);
  std::int64_t least = (denial ? longest_denial : longest_life).count();
  bool has_soa = false;
  for (const auto* section : {&message.answers, &message.authority, &message.additional}) {
    for (const auto& record : *section) {
      least = std::min(least, seconds(record.ttl));
      if (section != &message.authority || record.type != Type::soa) continue;
      has_soa = true;
      if (denial) least = std::min(least, seconds(std::get<Soa>(record.data).minimum));
    }
  }
  return std::chrono::seconds(denial && !has_soa ? 0 : least);
}

/// Fills in where the records are, and cuts the message behind the last one that is kept.
void place_records(ForeignReply& reply) {
  const Bytes bytes(reply.bytes);
  const std::array<std::size_t, 3> counts{u16(bytes, 6), u16(bytes, 8), u16(bytes, 10)};
  std::size_t at = reply.question_end;
  std::array<std::size_t, 3> kept{};
  for (std::size_t section = 0; section < counts.size(); ++section) {
    for (std::size_t i = 0; i < counts[section]; ++i) {
      const std::size_t fixed = skip_name(bytes, at);
      if (static_cast<Type>(u16(bytes, fixed)) == Type::opt) {
        section = counts.size() - 1;
        break;
      }
      at = fixed + 10 + u16(bytes, fixed + 8);
      reply.records.push_back({static_cast<std::uint16_t>(fixed + 4), static_cast<std::uint16_t>(at)});
      ++kept[section];
    }
  }
  reply.answers = kept[0];
  reply.authority = kept[1];
  reply.bytes.resize(at);
  reply.bytes.shrink_to_fit();
}

std::size_t size_limit(const Asker& asker) {
  if (asker.transport == net::Transport::tcp) return max_message_bytes;
  return std::min<std::size_t>(asker.udp_bytes, max_udp_payload_bytes);
}

struct Cut {
  std::size_t records = 0;
  bool truncated = false;
};

/// How many of the records fit into `limit` bytes.
Cut cut_to(const ForeignReply& reply, std::size_t limit) {
  const auto end = [&](std::size_t count) {
    return count == 0 ? reply.question_end : static_cast<std::size_t>(reply.records[count - 1].end);
  };
  const std::size_t all = reply.records.size();
  if (end(all) <= limit) return {all, false};
  if (const std::size_t needed = reply.answers + reply.authority; end(needed) <= limit) return {needed, false};
  // The name servers of an answer are not missed; the SOA of a denial is.
  if (!reply.denial && end(reply.answers) <= limit) return {reply.answers, false};
  std::size_t count = std::min(reply.answers, all);
  while (count > 0 && end(count) > limit) --count;
  return {count, true};
}

void write_ttls(const ForeignReply& reply, std::size_t count, Age age, std::span<std::uint8_t> out) {
  const auto most = reply.denial && reply.lifetime.count() > 0 ? reply.lifetime : longest_life;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = reply.records[i].ttl_at;
    const std::uint32_t was = static_cast<std::uint32_t>(u16(out, at)) << 16 | u16(out, at + 2);
    const std::int64_t left = std::min(seconds(was), most.count()) - age.seconds;
    const auto ttl = age.stale ? stale_ttl : static_cast<std::uint32_t>(std::max<std::int64_t>(left, 0));
    put16(out, at, ttl >> 16);
    put16(out, at + 2, ttl);
  }
}

void write_opt(const Asker& asker, std::span<std::uint8_t> out) {
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  put16(out, 1, static_cast<std::uint16_t>(Type::opt));
  put16(out, 3, our_udp_bytes);
  put16(out, 7, asker.dnssec_ok ? 0x8000 : 0);
}

}  // namespace

Result<ForeignReplyPtr> read_foreign(std::vector<std::uint8_t> bytes) {
  TRY(const auto message, decode(bytes));
  if (!message.header.response || message.questions.size() != 1) {
    return fail(Errc::parse, "a DNS reply without its question");
  }
  if (message.edns && message.edns->extended_rcode != 0) return fail(Errc::parse, "a DNS reply with an extended rcode");
  auto out = std::make_shared<ForeignReply>();
  out->bytes = std::move(bytes);
  TRY(out->question_end, question_end(out->bytes));
  if (out->question_end != header_bytes + message.questions.front().name.wire().size() + 4) {
    return fail(Errc::parse, "a DNS reply with a compressed question");
  }
  place_records(*out);
  out->rcode = message.header.rcode;
  out->truncated = message.header.truncated;
  out->authentic = message.header.authentic_data;
  out->denial = is_denial(message);
  out->lifetime = lifetime_of(message, out->denial);
  return ForeignReplyPtr(std::move(out));
}

std::size_t write_foreign(const ForeignReply& reply, const Asker& asker, Age age, std::span<std::uint8_t> out) {
  const std::size_t tail = asker.edns ? opt_bytes : 0;
  const std::size_t limit = std::min(size_limit(asker), out.size()) - tail;
  const Cut cut = cut_to(reply, limit);
  const std::size_t size = cut.records == 0 ? reply.question_end : reply.records[cut.records - 1].end;
  std::copy_n(reply.bytes.begin(), size, out.begin());

  const auto wire = asker.question.name.wire();
  std::transform(wire.begin(), wire.end(), out.begin() + header_bytes,
                 [](char c) { return static_cast<std::uint8_t>(c); });
  put16(out, 0, asker.id);
  const bool truncated = cut.truncated || reply.truncated;
  out[2] = static_cast<std::uint8_t>(0x81 | (truncated ? 0x02 : 0));  // QR, RD: only those who want recursion come here
  out[3] = static_cast<std::uint8_t>(0x80 | (reply.authentic && asker.wants_authentic ? 0x20 : 0) |
                                     (asker.checking_disabled ? 0x10 : 0) | static_cast<unsigned>(reply.rcode));
  const std::size_t answers = std::min(cut.records, reply.answers);
  const std::size_t authority = std::min(cut.records - answers, reply.authority);
  put16(out, 6, answers);
  put16(out, 8, authority);
  put16(out, 10, cut.records - answers - authority + (asker.edns ? 1 : 0));
  write_ttls(reply, cut.records, age, out);
  if (asker.edns) write_opt(asker, out.subspan(size, opt_bytes));
  return size + tail;
}

}  // namespace devstack::dns
