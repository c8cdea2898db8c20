#include <algorithm>

#include "core/dns/codec.h"

namespace devstack::dns {
namespace {

tl::unexpected<Error> malformed(std::string_view what) { return fail(Errc::parse, "malformed DNS message: {}", what); }

/// Reads forward through a message. Every method leaves the position alone on failure and never reads past the end.
class Reader {
 public:
  explicit Reader(Bytes bytes, std::size_t at = 0) : bytes_(bytes), at_(at) {}

  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }

  std::uint8_t u8() { return bytes_[at_++]; }
  std::uint16_t u16() {
    const auto value = static_cast<std::uint16_t>(bytes_[at_] << 8 | bytes_[at_ + 1]);
    at_ += 2;
    return value;
  }
  std::uint32_t u32() {
    const std::uint32_t high = u16();
    return high << 16 | u16();
  }
  std::string text(std::size_t size) {
    std::string out(reinterpret_cast<const char*>(bytes_.data()) + at_, size);
    at_ += size;
    return out;
  }

  /// A name, following pointers. Each pointer must point before the place where the last run of labels began, and not
  /// into the header, which changes on a message's way.
  Result<Name> name() {
    std::array<char, 256> wire;
    std::size_t size = 0;
    std::size_t at = at_;
    std::size_t run = at_;
    std::size_t end = 0;  // where reading goes on, known at the first pointer
    for (;;) {
      if (at >= bytes_.size()) return malformed("a name runs over the end");
      const std::uint8_t length = bytes_[at];
      if ((length & 0xc0) == 0xc0) {
        if (at + 2 > bytes_.size()) return malformed("a name runs over the end");
        const std::size_t target = static_cast<std::size_t>(length & 0x3f) << 8 | bytes_[at + 1];
        if (target >= run) return malformed("a name's pointer does not point backwards");
        if (target < header_bytes) return malformed("a name's pointer points into the header");
        if (end == 0) end = at + 2;
        at = run = target;
        continue;
      }
      if ((length & 0xc0) != 0) return malformed("a label of unknown kind");
      if (at + 1 + length > bytes_.size()) return malformed("a name runs over the end");
      if (size + 1 + length > 255) return malformed("a name is over 255 bytes");
      std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at), 1 + length,
                  wire.begin() + static_cast<std::ptrdiff_t>(size));
      size += 1U + length;
      at += 1U + length;
      if (length == 0) break;
    }
    at_ = end == 0 ? at : end;
    return Name::from_valid_wire(std::string(wire.data(), size));
  }

 private:
  Bytes bytes_;
  std::size_t at_;
};

Header read_header(Reader& reader) {
  Header header;
  header.id = reader.u16();
  const std::uint16_t flags = reader.u16();
  header.response = (flags & 0x8000) != 0;
  header.opcode = static_cast<Opcode>(flags >> 11 & 0xf);
  header.authoritative = (flags & 0x0400) != 0;
  header.truncated = (flags & 0x0200) != 0;
  header.recursion_desired = (flags & 0x0100) != 0;
  header.recursion_available = (flags & 0x0080) != 0;
  header.reserved = (flags & 0x0040) != 0;
  header.authentic_data = (flags & 0x0020) != 0;
  header.checking_disabled = (flags & 0x0010) != 0;
  header.rcode = static_cast<Rcode>(flags & 0xf);
  return header;
}

Result<Question> read_question(Reader& reader) {
  Question question;
  TRY(question.name, reader.name());
  if (reader.left() < 4) return malformed("a question runs over the end");
  question.type = static_cast<Type>(reader.u16());
  question.klass = reader.u16();
  return question;
}

Result<Data> read_target(Reader& reader) {
  TRY(auto name, reader.name());
  return Target{std::move(name)};
}

Result<Data> read_mx(Reader& reader, std::size_t size) {
  if (size < 3) return malformed("a short MX record");
  Mx mx;
  mx.preference = reader.u16();
  TRY(mx.exchange, reader.name());
  return mx;
}

Result<Data> read_srv(Reader& reader, std::size_t size) {
  if (size < 7) return malformed("a short SRV record");
  Srv srv;
  srv.priority = reader.u16();
  srv.weight = reader.u16();
  srv.port = reader.u16();
  TRY(srv.target, reader.name());
  return srv;
}

Result<Data> read_soa(Reader& reader) {
  Soa soa;
  TRY(soa.primary, reader.name());
  TRY(soa.mailbox, reader.name());
  if (reader.left() < 20) return malformed("a short SOA record");
  soa.serial = reader.u32();
  soa.refresh = reader.u32();
  soa.retry = reader.u32();
  soa.expire = reader.u32();
  soa.minimum = reader.u32();
  return soa;
}

Result<Data> read_txt(Reader& reader, std::size_t size) {
  Txt txt;
  const std::size_t end = reader.at() + size;
  while (reader.at() < end) {
    const std::size_t length = reader.u8();
    if (reader.at() + length > end) return malformed("a TXT string runs over its record");
    txt.strings.push_back(reader.text(length));
  }
  return txt;
}

template <class Address>
Result<Data> read_address(Reader& reader, std::size_t size) {
  Address address;
  if (size != address.bytes.size()) return malformed("an address of the wrong size");
  for (auto& byte : address.bytes) byte = reader.u8();
  return address;
}

Result<Data> read_data(Reader& reader, Type type, std::size_t size) {
  switch (type) {
    case Type::a:
      return read_address<Ipv4>(reader, size);
    case Type::aaaa:
      return read_address<Ipv6>(reader, size);
    case Type::ns:
    case Type::cname:
    case Type::ptr:
      return read_target(reader);
    case Type::mx:
      return read_mx(reader, size);
    case Type::srv:
      return read_srv(reader, size);
    case Type::soa:
      return read_soa(reader);
    case Type::txt:
      return read_txt(reader, size);
    default:
      return Opaque{reader.text(size)};
  }
}

Result<Record> read_record(Reader& reader) {
  Record record;
  TRY(record.name, reader.name());
  if (reader.left() < 10) return malformed("a record runs over the end");
  record.type = static_cast<Type>(reader.u16());
  record.klass = reader.u16();
  record.ttl = reader.u32();
  const std::size_t size = reader.u16();
  if (reader.left() < size) return malformed("a record runs over the end");
  const std::size_t end = reader.at() + size;
  TRY(record.data, read_data(reader, record.type, size));
  if (reader.at() != end) return malformed("a record's data and its length disagree");
  return record;
}

Result<void> take_edns(Message& message, Record record) {
  if (message.edns) return malformed("two OPT records");
  if (!record.name.is_root()) return malformed("an OPT record with a name");
  Edns edns;
  edns.udp_bytes = record.klass;
  edns.extended_rcode = static_cast<std::uint8_t>(record.ttl >> 24);
  edns.version = static_cast<std::uint8_t>(record.ttl >> 16);
  edns.flags = static_cast<std::uint16_t>(record.ttl);
  edns.options = std::move(std::get<Opaque>(record.data).bytes);
  message.edns = std::move(edns);
  return {};
}

}  // namespace

Result<Header> decode_header(Bytes bytes) {
  if (bytes.size() < header_bytes) return malformed("shorter than a header");
  Reader reader(bytes);
  return read_header(reader);
}

Result<std::size_t> question_end(Bytes bytes) {
  if (bytes.size() < header_bytes) return malformed("shorter than a header");
  Reader counts(bytes, 4);
  if (counts.u16() != 1) return malformed("not exactly one question");
  Reader reader(bytes, header_bytes);
  TRY([[maybe_unused]] const auto question, read_question(reader));
  return reader.at();
}

Result<Message> decode(Bytes bytes) {
  if (bytes.size() < header_bytes) return malformed("shorter than a header");
  Reader reader(bytes);
  Message message;
  message.header = read_header(reader);
  const std::size_t questions = reader.u16();
  const std::array<std::size_t, 3> counts{reader.u16(), reader.u16(), reader.u16()};
  for (std::size_t i = 0; i < questions; ++i) {
    TRY(auto question, read_question(reader));
    message.questions.push_back(std::move(question));
  }
  const std::array<std::vector<Record>*, 3> sections{&message.answers, &message.authority, &message.additional};
  for (std::size_t s = 0; s < sections.size(); ++s) {
    for (std::size_t i = 0; i < counts[s]; ++i) {
      TRY(auto record, read_record(reader));
      if (record.type == Type::opt) {
        if (s != 2) return malformed("an OPT record outside the additional section");
        CHECK(take_edns(message, std::move(record)));
      } else {
        sections[s]->push_back(std::move(record));
      }
    }
  }
  return message;
}

}  // namespace devstack::dns
