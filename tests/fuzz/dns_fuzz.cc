// DNS messages. The input is one or two of them, each behind its length in two bytes, as over TCP (RFC 1035 §4.2.2):
// a question, and what a recursor is said to have replied.
#include "core/dns/answer.h"
#include "core/dns/codec.h"
#include "core/dns/exchange.h"
#include "core/dns/recursors.h"
#include "core/dns/server.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/registry.h"

namespace {

using namespace devstack;  // NOLINT(google-build-using-namespace)
using dns::Bytes;
using fuzz::require;
using net::Transport;

/// With prepared queries: one near to who asks, one template for all names.
const registry::State& state() {
  static const registry::State made = [] {
    auto state = fuzz::small_registry();
    const std::pair<const char*, const char*> queries[] = {
        {"near", R"({"Service":{"Service":"web","Near":"_ip"},"DNS":{"TTL":"9s"}})"},
        {"", R"({"Template":{"Type":"name_prefix_match","Regexp":"^(.)(.*)$"},"Service":{"Service":"${match(2)}"}})"}};
    for (const auto& [name, definition] : queries) {
      registry::QuerySetCommand command;
      command.mode = registry::QuerySetCommand::Mode::create;
      command.query.id = std::string("11111111-2222-3333-4444-55555555555") + (*name == 0 ? '0' : '1');
      command.query.name = name;
      command.query.definition = definition;
      state = state.apply(registry::Command(std::move(command))).value().state;
    }
    return state;
  }();
  return made;
}

const dns::AnswerOptions& options() {
  static const dns::AnswerOptions made = [] {
    dns::DnsOptions some;
    some.domains = {"consul", "test"};
    some.records = {{"legacy.test", {"10.0.0.9", "fd00::9"}}, {"*.wild.test", {"elsewhere.example"}}};
    some.recursors = {"127.0.0.1"};
    some.service_ttl = {{"web", std::chrono::seconds(5)}, {"*", std::chrono::seconds(1)}};
    return dns::answer_options(some).value();
  }();
  return made;
}

void check_codec(const dns::Message& message) {
  const auto bytes = dns::encode(message);
  if (bytes.empty()) return;  // over 64 KiB once its names are spelled out
  const auto again = dns::decode(bytes);
  require(again.has_value(), "what we encode can be read");
  require(*again == message, "decode, encode, decode is stable", dns::to_text(message) + "\n" + dns::to_text(*again));
  require(dns::encode(*again) == bytes, "encoding is a function of the message");
  for (const auto& record : message.answers) require(!dns::to_text(record).empty(), "a record has a text");
  for (const auto& question : message.questions) {
    const auto text = question.name.to_text();
    const auto parsed = dns::Name::parse(text);
    require(parsed && parsed->wire() == question.name.wire(), "a name's text reads back", text);
  }
}

void check_reply(const dns::Message& reply, Transport transport, bool large = false) {
  std::array<std::uint8_t, dns::max_message_bytes> out;
  static dns::Encoder encoder;
  const auto size = encoder.encode(reply, out);
  require(size > 0, "a reply of ours can be encoded", dns::to_text(reply));
  require(reply.header.response, "a reply is one");
  const std::size_t most = transport == Transport::tcp || large ? 65535 : 512;
  require(size <= most, "a reply fits its transport", dns::to_text(reply));
  const auto again = dns::decode(Bytes(out).first(size));
  require(again && *again == reply, "a reply of ours can be read", dns::to_text(reply));
}

void ask(const dns::Message& message, const std::optional<dns::Message>& upstream, Transport transport) {
  const dns::Query query{message, transport, 42, 1'700'000'000};
  auto answer = dns::answer(query, state(), options());
  require(answer.message.header.id == message.header.id, "a reply has the question's id");
  if (answer.forward == dns::Answer::Forward::alias) {
    for (auto& outside : answer.outside) outside.said = upstream;
    dns::complete(answer, query, options());
  }
  check_reply(answer.message, transport, message.edns && message.edns->udp_bytes > 512);
}

Bytes take_message(Bytes& rest) {
  if (rest.size() < 2) return {};
  const auto size = std::min<std::size_t>(static_cast<std::size_t>(rest[0]) << 8U | rest[1], rest.size() - 2);
  const auto message = rest.subspan(2, size);
  rest = rest.subspan(2 + size);
  return message;
}

void texts(std::string_view text) {
  (void)dns::parse_resolv_conf(text);
  (void)dns::parse_recursor(text);
  (void)dns::parse_type(text);
  if (const auto name = dns::Name::parse(text)) {
    const auto again = dns::Name::parse(name->to_text());
    require(again && *again == *name, "a name's text reads back", text);
    require(name->within(dns::Name()), "every name is below the root");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes rest(data, size);
  const auto first = take_message(rest);
  const auto second = take_message(rest);
  texts(fuzz::text_of(data, std::min<std::size_t>(size, 300)));
  (void)dns::answers(second, first);
  (void)dns::answers(first, second);
  require(!dns::question_end(first) || *dns::question_end(first) <= first.size(), "a question ends within its message");
  const auto header = dns::decode_header(first);
  if (header) check_reply(dns::header_reply(*header, dns::Rcode::formerr), Transport::udp);
  const auto message = dns::decode(first);
  if (!message) return 0;
  const auto reply = dns::decode(second);
  check_codec(*message);
  if (reply) check_codec(*reply);
  if (dns::acceptable(*message) != dns::Rcode::noerror) return 0;
  for (const auto transport : {Transport::udp, Transport::tcp}) {
    ask(*message, reply ? std::optional(*reply) : std::nullopt, transport);
  }
  return 0;
}
