// What another server replies to a question of ours, kept and sent on. The input is a question and a reply, each behind
// its length in two bytes, then a byte for the reply's age. The reply gets the question's id and question: what lacks
// them is thrown away before (dns_fuzz.cc has those checks).
#include <algorithm>

#include "core/dns/cache.h"
#include "core/dns/exchange.h"
#include "core/dns/foreign_reply.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace devstack;  // NOLINT(google-build-using-namespace)
using dns::Bytes;
using fuzz::require;
using net::Transport;

Bytes take_message(Bytes& rest) {
  if (rest.size() < 2) return {};
  const auto size = std::min<std::size_t>(static_cast<std::size_t>(rest[0]) << 8U | rest[1], rest.size() - 2);
  const auto message = rest.subspan(2, size);
  rest = rest.subspan(2 + size);
  return message;
}

std::vector<std::uint8_t> as_reply_to(Bytes query, Bytes reply) {
  if (reply.size() < dns::header_bytes) return {};
  const std::size_t behind = dns::question_end(reply).value_or(dns::header_bytes);
  const auto question = query.first(dns::question_end(query).value());
  std::vector<std::uint8_t> out(question.begin(), question.end());
  std::copy_n(reply.begin() + 2, dns::header_bytes - 2, out.begin() + 2);
  out[2] |= 0x80U;
  out[4] = 0, out[5] = 1;
  out.insert(out.end(), reply.begin() + static_cast<std::ptrdiff_t>(behind), reply.end());
  return out;
}

std::vector<dns::Record> records_of(const dns::Message& message) {
  std::vector<dns::Record> all(message.answers);
  all.insert(all.end(), message.authority.begin(), message.authority.end());
  all.insert(all.end(), message.additional.begin(), message.additional.end());
  for (auto& record : all) record.ttl = 0;
  return all;
}

/// A name may point at the bytes of a TTL, and means something else once that has run down. Nobody but its server is
/// to blame, and nothing but that message is lost.
bool leans_on_ttls(const dns::ForeignReply& reply) {
  const auto before = dns::decode(reply.bytes);
  auto other = reply.bytes;
  for (const auto& record : reply.records) {
    for (std::size_t i = 0; i < 4; ++i) other[record.ttl_at + i] ^= 0x3fU;
  }
  const auto after = dns::decode(other);
  return !before || !after || records_of(*before) != records_of(*after);
}

void check_written(const dns::ForeignReply& reply, const dns::Message& meant, const dns::Asker& asker, dns::Age age) {
  static std::array<std::uint8_t, dns::max_message_bytes> out;
  const auto size = dns::write_foreign(reply, asker, age, out);
  const std::size_t most = asker.transport == Transport::tcp ? dns::max_message_bytes : asker.udp_bytes;
  require(size <= most, "a reply fits its transport");
  const auto written = dns::decode(Bytes(out).first(size));
  require(written.has_value(), "what is sent on can be read");
  require(written->header.id == asker.id && written->header.response, "it answers the client's query");
  require(written->questions.size() == 1 && written->questions[0].name.wire() == asker.question.name.wire(),
          "the question has the case that the client gave it");
  require(written->edns.has_value() == asker.edns, "EDNS is for who asked with it");
  const auto all = records_of(meant);
  const auto sent = records_of(*written);
  require(sent.size() <= all.size() && std::equal(sent.begin(), sent.end(), all.begin()), "no record is made up",
          dns::to_text(meant) + "\n" + dns::to_text(*written));
  require(written->answers.size() == meant.answers.size() || written->header.truncated, "answers left out are said so");
  for (const auto* section : {&written->answers, &written->authority, &written->additional}) {
    for (const auto& record : *section) {
      require(record.ttl <= static_cast<std::uint32_t>(dns::longest_life.count()), "a TTL has a bound");
      require(!age.stale || record.ttl == dns::stale_ttl, "a stale record says so");
    }
  }
}

void check_cache(const dns::ForeignReplyPtr& reply, const std::string& key) {
  const Instant now(std::chrono::hours(1));
  dns::Cache cache({2, 100'000});
  cache.keep("other", reply, now);
  cache.keep(key, reply, now);
  const auto fresh = cache.find(key, now);
  require((fresh.reply == reply) == (reply->lifetime.count() > 0), "what has a lifetime is kept, and nothing else");
  const auto later = cache.find(key, now + reply->lifetime + std::chrono::seconds(1));
  require(later.ask && (!later.reply || later.age.stale), "past its lifetime somebody is asked");
  cache.failed(key, now + reply->lifetime + std::chrono::seconds(1));
  require(!cache.find(key, now + reply->lifetime + std::chrono::seconds(1)).ask, "a failure has a pause");
  require(!cache.find(key, now + reply->lifetime + dns::Cache::stale_for + std::chrono::hours(2)).reply,
          "nothing is kept for ever");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes rest(data, size);
  const auto question = take_message(rest);
  const auto said = take_message(rest);
  const auto query = dns::decode(question);
  if (!query) return 0;
  const auto asker = dns::asker_of(*query, Transport::udp);
  if (!asker) return 0;

  auto asked = dns::upstream_query(*asker, 0x1234, dns::WithEdns::yes);
  dns::randomise_case(asked, said);
  require(dns::decode(asked).has_value(), "our query is a message");
  auto bytes = as_reply_to(asked, said);
  if (bytes.empty()) return 0;
  require(dns::answers(bytes, asked) && dns::same_case(bytes, asked), "a reply is known as one");

  const auto meant = dns::decode(bytes);
  const auto read = dns::read_foreign(std::move(bytes));
  if (!read) return 0;
  const auto& reply = **read;
  require(reply.lifetime.count() >= 0 && reply.lifetime <= dns::longest_life, "a lifetime has a bound");
  require(!reply.denial || reply.lifetime <= dns::longest_denial, "a denial's lifetime has another");
  check_cache(*read, dns::cache_key(*asker));
  if (leans_on_ttls(reply)) return 0;
  const std::uint32_t seconds = rest.empty() ? 0 : rest[0] * 100U;
  for (const auto transport : {Transport::udp, Transport::tcp}) {
    auto client = *asker;
    client.transport = transport;
    for (const bool stale : {false, true}) check_written(reply, *meant, client, {seconds, stale});
  }
  return 0;
}
