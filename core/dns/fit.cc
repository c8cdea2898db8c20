#include "core/dns/fit.h"

#include <algorithm>
#include <set>
#include <unordered_map>

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
constexpr std::size_t far_over_bytes = 100;

struct Limits {
  std::size_t answers;       ///< at most so many
  std::size_t wanted_bytes;  ///< what Consul shortens a reply with several answers to
  std::size_t most_bytes;    ///< what the transport carries
};

Limits limits_of(const Query& query, const AnswerOptions& options) {
  if (query.transport == net::Transport::tcp) {
    const bool srv = query.message.questions.front().type == Type::srv;
    return {srv ? tcp_srv_answers : tcp_answers, tcp_bytes, tcp_bytes};
  }
  if (query.message.edns && query.message.edns->udp_bytes > plain_udp_bytes) {
    const std::size_t bytes = std::min<std::size_t>(query.message.edns->udp_bytes, max_udp_payload_bytes);
    return {SIZE_MAX, bytes - udp_margin_bytes, bytes};
  }
  const auto answers = static_cast<std::size_t>(std::clamp(options.udp_answer_limit, 0, hard_udp_answer_limit));
  return {answers, plain_udp_bytes - udp_margin_bytes, plain_udp_bytes};
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

enum class Names { compressed, whole };

bool fits(const Message& message, std::size_t limit, Names names = Names::compressed) {
  if (upper_bound(message) <= limit) return true;
  if (names == Names::whole) return false;
  thread_local Encoder encoder;
  thread_local std::vector<std::uint8_t> scratch(max_message_bytes);
  return encoder.encode(message, std::span(scratch).first(std::min(limit, scratch.size()))) != 0;
}

/// A reply with fewer answers, and of its additional records those that Consul leaves: for every SRV target the first
/// one with its name, and where that is an alias, what it leads to.
class Shortening {
 public:
  explicit Shortening(const Message& full) : full_(full) {
    for (const auto& record : full.additional) first_.emplace(record.name.lowered().wire(), &record);
  }

  /// Without EDNS, of which Consul takes no account once it has begun to leave out.
  [[nodiscard]] Message to(std::size_t answers) const {
    Message out;
    out.header = full_.header;
    out.questions = full_.questions;
    out.answers.assign(full_.answers.begin(), full_.answers.begin() + static_cast<std::ptrdiff_t>(answers));
    out.authority = full_.authority;
    std::set<std::string> resolved;
    for (const auto& record : out.answers) {
      if (const auto* srv = std::get_if<Srv>(&record.data)) add_target(srv->target, resolved, out.additional);
    }
    return out;
  }

 private:
  void add_target(Name target, std::set<std::string>& resolved, std::vector<Record>& to) const {
    for (;;) {
      const std::string key(target.lowered().wire());
      const auto found = first_.find(key);
      if (!resolved.insert(key).second || found == first_.end()) return;
      const Record& record = *found->second;
      to.push_back(record);
      if (record.type != Type::cname) return;
      target = std::get<Target>(record.data).name;
    }
  }

  const Message& full_;
  std::unordered_map<std::string, const Record*> first_;
};

/// The largest number of answers from 1 to `most` that fits.
Message most_that_fit(const Shortening& shortening, std::size_t most, std::size_t limit, Names names) {
  std::size_t low = 1;
  std::size_t high = most + 1;
  while (high - low > 1) {
    const std::size_t middle = (low + high) / 2;
    (fits(shortening.to(middle), limit, names) ? low : high) = middle;
  }
  return shortening.to(low);
}

/// A reply whose only answer (or none) is too big already: what is not the answer goes, piece by piece.
void strip(Message& reply, std::size_t limit) {
  if (fits(reply, limit)) return;
  std::erase_if(reply.additional,
                [](const Record& record) { return record.type != Type::a && record.type != Type::aaaa; });
  if (fits(reply, limit)) return;
  reply.authority.clear();
  if (fits(reply, limit)) return;
  reply.additional.clear();
  if (!fits(reply, limit)) reply.header.truncated = true;
}

}  // namespace

void fit(Message& reply, const Query& query, const AnswerOptions& options) {
  const Limits limits = limits_of(query, options);
  const bool too_many = reply.answers.size() > limits.answers;
  if (!too_many && fits(reply, limits.wanted_bytes)) return;
  if (!too_many && reply.answers.size() <= 1) return strip(reply, limits.most_bytes);

  Message full = reply;
  const Shortening shortening(full);
  Names names = Names::compressed;
  if (too_many && query.transport == net::Transport::tcp) {
    reply.answers.resize(limits.answers);
  } else if (too_many) {
    reply = shortening.to(limits.answers);
    names = Names::whole;  // Consul's caution: for relays that write every name out
  }
  if (reply.answers.size() > 1 && !fits(reply, limits.wanted_bytes, names)) {
    full.authority.clear();
    reply.authority.clear();
    // Consul counts what goes with the answers before it leaves that out: when the reply is only a little too big, an
    // answer goes even if it need not.
    const bool far_over = !fits(reply, limits.most_bytes + far_over_bytes, names);
    const std::size_t before = reply.answers.size();
    reply = most_that_fit(shortening, far_over ? before : before - 1, limits.wanted_bytes, names);
    reply.header.truncated = reply.answers.size() < before;
  }
  reply.edns = full.edns;
  if (!fits(reply, limits.most_bytes)) reply.edns.reset();
  strip(reply, limits.most_bytes);
}

}  // namespace devstack::dns
