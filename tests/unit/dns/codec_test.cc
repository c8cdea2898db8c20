#include "core/dns/codec.h"

#include <gtest/gtest.h>

#include <random>

namespace devstack::dns {
namespace {

using Packet = std::vector<std::uint8_t>;

Name name(std::string_view text) { return Name::parse(text).value(); }

/// A header with the given counts, then `rest`.
Packet packet(std::array<std::uint8_t, 4> counts, std::initializer_list<int> rest) {
  Packet out{0x12, 0x34, 0x01, 0x00};
  for (const auto count : counts) {
    out.push_back(0);
    out.push_back(count);
  }
  for (const int byte : rest) out.push_back(static_cast<std::uint8_t>(byte));
  return out;
}

TEST(DnsCodec, ReadsAQuestionWithEdns) {
  const Packet bytes = packet({1, 0, 0, 1}, {3, 'W', 'e', 'b',  6,    'c', 'o', 'n',  's', 'u', 'l', 0, 0, 33, 0, 1,  //
                                             0, 0,   41,  0x04, 0xd0, 0,   0,   0x80, 0,   0,   0});
  const auto message = decode(bytes).value();
  EXPECT_EQ(message.header.id, 0x1234);
  EXPECT_TRUE(message.header.recursion_desired);
  ASSERT_EQ(message.questions.size(), 1U);
  EXPECT_EQ(message.questions[0].name.to_text(), "Web.consul.");
  EXPECT_EQ(message.questions[0].type, Type::srv);
  ASSERT_TRUE(message.edns);
  EXPECT_EQ(message.edns->udp_bytes, 1232);
  EXPECT_EQ(message.edns->flags, 0x8000);
  EXPECT_EQ(encode(message), bytes);
}

TEST(DnsCodec, ToleratesBytesAfterTheLastRecord) {
  EXPECT_TRUE(decode(packet({1, 0, 0, 0}, {1, 'a', 0, 0, 1, 0, 1, 9, 9, 9})));
}

TEST(DnsCodec, RejectsNamesThatLoopOrRunAway) {
  const std::vector<std::pair<const char*, Packet>> cases{
      {"pointer to itself", packet({1, 0, 0, 0}, {0xc0, 12, 0, 1, 0, 1})},
      {"two pointers at each other", packet({1, 0, 0, 0}, {0xc0, 14, 0xc0, 12, 0, 1, 0, 1})},
      {"label, then a pointer to it", packet({1, 0, 0, 0}, {1, 'a', 0xc0, 12, 0, 1, 0, 1})},
      {"forward pointer", packet({1, 0, 0, 0}, {0xc0, 20, 0, 1, 0, 1, 0, 0, 0})},
      {"pointer out of the message", packet({1, 0, 0, 0}, {0xff, 0xff, 0, 1, 0, 1})},
      {"pointer into the header", packet({1, 0, 0, 0}, {0xc0, 5, 0, 1, 0, 1})},
      {"half a pointer", packet({1, 0, 0, 0}, {0xc0})},
      {"label over the end", packet({1, 0, 0, 0}, {9, 'a', 'b'})},
      {"no end", packet({1, 0, 0, 0}, {1, 'a'})},
      {"label of kind 01", packet({1, 0, 0, 0}, {0x41, 'a', 0, 0, 1, 0, 1})},
      {"no question at all", packet({1, 0, 0, 0}, {})},
      {"question cut short", packet({1, 0, 0, 0}, {0, 0, 1, 0})},
  };
  for (const auto& [what, bytes] : cases) EXPECT_FALSE(decode(bytes)) << what;
}

TEST(DnsCodec, RejectsANameThatPointersMakeTooLong) {
  // Each name is a 63-byte label and a pointer to the one before; the fifth is over 255 bytes.
  Packet bytes = packet({5, 0, 0, 0}, {});
  std::size_t previous = 0;
  for (int i = 0; i < 5; ++i) {
    const std::size_t here = bytes.size();
    bytes.push_back(63);
    bytes.insert(bytes.end(), 63, 'x');
    if (i == 0) {
      bytes.push_back(0);
    } else {
      bytes.push_back(static_cast<std::uint8_t>(0xc0 | previous >> 8));
      bytes.push_back(static_cast<std::uint8_t>(previous));
    }
    bytes.insert(bytes.end(), {0, 1, 0, 1});
    previous = here;
  }
  EXPECT_FALSE(decode(bytes));
  bytes[5] = 3;  // as far as the third question it is fine
  EXPECT_TRUE(decode(bytes));
}

TEST(DnsCodec, RejectsRecordsThatLie) {
  const std::vector<std::pair<const char*, Packet>> cases{
      {"A of three bytes", packet({0, 1, 0, 0}, {0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 3, 10, 0, 0})},
      {"data over the end", packet({0, 1, 0, 0}, {0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 10, 0})},
      {"TXT string over its record", packet({0, 1, 0, 0}, {0, 0, 16, 0, 1, 0, 0, 0, 0, 0, 2, 5, 'a', 'b', 'c', 'd'})},
      {"CNAME longer than said", packet({0, 1, 0, 0}, {0, 0, 5, 0, 1, 0, 0, 0, 0, 0, 1, 1, 'a', 0})},
      {"CNAME shorter than said", packet({0, 1, 0, 0}, {0, 0, 5, 0, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0})},
      {"SRV without target", packet({0, 1, 0, 0}, {0, 0, 33, 0, 1, 0, 0, 0, 0, 0, 6, 0, 1, 0, 1, 0, 80})},
      {"counted but not there", packet({0, 9, 0, 0}, {})},
      {"OPT as an answer", packet({0, 1, 0, 0}, {0, 0, 41, 2, 0, 0, 0, 0, 0, 0, 0})},
      {"two OPTs", packet({0, 0, 0, 2}, {0, 0, 41, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 41, 2, 0, 0, 0, 0, 0, 0, 0})},
  };
  for (const auto& [what, bytes] : cases) EXPECT_FALSE(decode(bytes)) << what;
  EXPECT_FALSE(decode(Packet(11)));
  EXPECT_FALSE(decode_header(Packet(11)));
}

TEST(DnsCodec, ReadsEveryPrefixOfAMessageWithoutHarm) {
  Message message;
  message.questions.push_back({name("web.service.consul"), Type::srv, class_in});
  message.answers.push_back(
      {name("web.service.consul"), Type::srv, class_in, 5, Srv{1, 2, 80, name("n1.node.consul")}});
  message.additional.push_back({name("n1.node.consul"), Type::txt, class_in, 5, Txt{{"a=b"}}});
  const Packet bytes = encode(message);
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode(Bytes(bytes).first(size))) << size;
  EXPECT_EQ(decode(bytes).value(), message);
}

TEST(DnsCodec, CompressesOwnersButNotTargetsOfSrv) {
  Message message;
  message.questions.push_back({name("web.service.consul"), Type::srv, class_in});
  message.answers.push_back(
      {name("web.service.consul"), Type::srv, class_in, 0, Srv{1, 1, 80, name("n1.node.consul")}});
  message.additional.push_back({name("n1.node.consul"), Type::a, class_in, 0, Ipv4{{10, 0, 0, 1}}});
  // question 20+4, owner 2+10, SRV 6 + target 16 in full, additional owner 2+10+4
  EXPECT_EQ(encode(message).size(), 12U + 24 + 12 + 22 + 16);
  EXPECT_EQ(decode(encode(message)).value(), message);
}

TEST(DnsCodec, KeepsTheCaseOfEveryNameWhenCompressing) {
  Message message;
  message.questions.push_back({name("wEb.sErVice.cOnsul"), Type::any, class_in});
  message.answers.push_back({name("wEb.sErVice.cOnsul"), Type::cname, class_in, 0, Target{name("Db.service.consul")}});
  const auto back = decode(encode(message)).value();
  EXPECT_EQ(std::get<Target>(back.answers[0].data).name.to_text(), "Db.service.consul.");
  EXPECT_EQ(back.answers[0].name.to_text(), "wEb.sErVice.cOnsul.");
}

TEST(DnsCodec, SaysWhenAMessageDoesNotFit) {
  Message message;
  message.questions.push_back({name("big.consul"), Type::txt, class_in});
  for (int i = 0; i < 300; ++i) {
    message.answers.push_back({name("big.consul"), Type::txt, class_in, 0, Txt{{std::string(250, 'x')}}});
  }
  EXPECT_TRUE(encode(message).empty());
  message.answers.resize(240);
  const auto bytes = encode(message);
  EXPECT_GT(bytes.size(), 60000U);
  EXPECT_EQ(decode(bytes).value(), message);
  Encoder encoder;
  Packet small(bytes.size() - 1);
  EXPECT_EQ(encoder.encode(message, small), 0U);
  Packet exact(bytes.size());
  EXPECT_EQ(encoder.encode(message, exact), bytes.size());
}

class RandomMessages {
 public:
  explicit RandomMessages(unsigned seed) : random_(seed) {}

  Message next() {
    Message message;
    message.header.id = static_cast<std::uint16_t>(random_());
    message.header.response = flip();
    message.header.truncated = flip();
    message.header.rcode = static_cast<Rcode>(below(16));
    message.header.opcode = static_cast<Opcode>(below(16));
    for (std::size_t i = below(3); i > 0; --i) message.questions.push_back({some_name(), Type::any, class_in});
    for (auto* section : {&message.answers, &message.authority, &message.additional}) {
      for (std::size_t i = below(40); i > 0; --i) section->push_back(record());
    }
    if (flip()) message.edns = Edns{1232, 0, 0, 0x8000, std::string(below(20), 'o')};
    return message;
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }
  bool flip() { return below(2) == 0; }
  Name some_name() {
    // Few different labels, so that tails repeat and compression has work to do.
    static const std::vector<std::string> labels{"a", "b", "web", "service", "Service", "consul", std::string(63, 'l')};
    std::string text;
    for (std::size_t i = below(4); i > 0; --i) text += labels[below(labels.size())] + '.';
    return text.empty() ? Name() : name(text);
  }
  Record record() {
    const auto number = [&] { return static_cast<std::uint16_t>(random_()); };
    const auto make = [&](Type type, Data data) {
      return Record{some_name(), type, class_in, static_cast<std::uint32_t>(random_()), std::move(data)};
    };
    switch (below(9)) {
      case 0:
        return make(Type::a, Ipv4{{1, 2, 3, static_cast<std::uint8_t>(below(256))}});
      case 1:
        return make(Type::aaaa, Ipv6{{0xfd, 1}});
      case 2:
        return make(Type::cname, Target{some_name()});
      case 3:
        return make(Type::ptr, Target{some_name()});
      case 4:
        return make(Type::mx, Mx{number(), some_name()});
      case 5:
        return make(Type::srv, Srv{number(), number(), number(), some_name()});
      case 6:
        return make(Type::txt, Txt{{std::string(below(256), 't'), "k=v"}});
      case 7:
        return make(Type::soa, Soa{some_name(), some_name(), 1, 2, 3, 4, 5});
      default:
        return make(static_cast<Type>(65), Opaque{std::string(below(30), '\xff')});
    }
  }
  std::mt19937 random_;
};

TEST(DnsCodec, GivesBackEveryMessageItWrote) {
  RandomMessages messages(7);
  for (int i = 0; i < 300; ++i) {
    const Message message = messages.next();
    const auto bytes = encode(message);
    ASSERT_FALSE(bytes.empty());
    const auto back = decode(bytes);
    ASSERT_TRUE(back) << back.error().message;
    ASSERT_EQ(*back, message);
    ASSERT_EQ(to_text(*back), to_text(message));  // comparing names ignores case, texts do not
    ASSERT_EQ(encode(*back), bytes);
  }
}

TEST(DnsCodec, SurvivesDamagedMessages) {
  RandomMessages messages(11);
  std::mt19937 random(13);
  for (int i = 0; i < 500; ++i) {
    Packet bytes = encode(messages.next());
    for (int hits = 0; hits < 8; ++hits) bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    if (const auto read = decode(bytes)) {
      const auto again = encode(*read);
      if (again.empty()) continue;
      EXPECT_EQ(decode(again).value(), *read);
    }
  }
}

TEST(DnsText, PrintsRecordsAsDigDoes) {
  const auto text = [](Type type, Data data) {
    return to_text(Record{name("x.consul"), type, class_in, 7, std::move(data)});
  };
  EXPECT_EQ(text(Type::a, Ipv4{{10, 0, 0, 1}}), "x.consul. 7 IN A 10.0.0.1");
  EXPECT_EQ(text(Type::aaaa, Ipv6{{0xfd}}), "x.consul. 7 IN AAAA fd00::");
  EXPECT_EQ(text(Type::srv, Srv{1, 2, 80, name("n")}), "x.consul. 7 IN SRV 1 2 80 n.");
  EXPECT_EQ(text(Type::txt, Txt{{"a=\"b\"", "c"}}), R"(x.consul. 7 IN TXT "a=\"b\"" "c")");
  EXPECT_EQ(text(static_cast<Type>(65), Opaque{"\x01\xff"}), "x.consul. 7 IN TYPE65 \\# 2 01ff");
}

TEST(DnsText, ReadsTypesByNameAndNumber) {
  EXPECT_EQ(parse_type("srv").value(), Type::srv);
  EXPECT_EQ(parse_type("TYPE28").value(), Type::aaaa);
  EXPECT_FALSE(parse_type("TYPE"));
  EXPECT_FALSE(parse_type("TYPE99999"));
  EXPECT_FALSE(parse_type("nonsense"));
}

}  // namespace
}  // namespace devstack::dns
