#pragma once

#include "core/dns/foreign_reply.h"

namespace devstack::dns::test {

inline Name name(std::string_view text) { return Name::parse(text).value(); }

inline Asker asker(std::string_view text, Type type = Type::a) {
  Asker out;
  out.question = {name(text), type, class_in};
  out.id = 7;
  return out;
}

inline Record address(std::string_view owner, std::uint32_t ttl, std::uint8_t last = 1) {
  return {name(owner), Type::a, class_in, ttl, Ipv4{{10, 0, 0, last}}};
}
inline Record alias(std::string_view owner, std::uint32_t ttl, std::string_view target) {
  return {name(owner), Type::cname, class_in, ttl, Target{name(target)}};
}
inline Record soa(std::string_view zone, std::uint32_t ttl, std::uint32_t minimum) {
  return {name(zone), Type::soa, class_in, ttl, Soa{name("ns.test"), name("me.test"), 1, 2, 3, 4, minimum}};
}

/// A reply to "A www.test" that a test fills in.
inline Message reply(std::string_view text = "www.test", Type type = Type::a) {
  Message out;
  out.header.id = 4711;
  out.header.response = true;
  out.header.recursion_desired = true;
  out.header.authoritative = true;
  out.questions.push_back({name(text), type, class_in});
  return out;
}

inline ForeignReplyPtr foreign(const Message& message) { return read_foreign(encode(message)).value(); }

/// What a client decodes.
inline Message written(const ForeignReply& from, const Asker& to, Age age = {}) {
  std::vector<std::uint8_t> out(max_message_bytes);
  out.resize(write_foreign(from, to, age, out));
  return decode(out).value();
}

}  // namespace devstack::dns::test
