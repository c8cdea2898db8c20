#include <algorithm>
#include <cstring>

#include "core/dns/codec.h"

namespace devstack::dns {

/// Appends to a fixed buffer; once something does not fit, everything after it is dropped and `fits()` is false.
class Encoder::Writer {
 public:
  enum class Pointers { allowed, none };

  Writer(Encoder& encoder, std::span<std::uint8_t> out) : encoder_(encoder), out_(out) {}

  [[nodiscard]] bool fits() const { return fits_; }
  [[nodiscard]] std::size_t size() const { return size_; }

  void u8(std::uint8_t value) {
    if (room(1)) out_[size_++] = value;
  }
  void u16(std::uint16_t value) {
    if (!room(2)) return;
    out_[size_++] = static_cast<std::uint8_t>(value >> 8);
    out_[size_++] = static_cast<std::uint8_t>(value);
  }
  void u32(std::uint32_t value) {
    u16(static_cast<std::uint16_t>(value >> 16));
    u16(static_cast<std::uint16_t>(value));
  }
  void bytes(const void* data, std::size_t count) {
    if (count == 0 || !room(count)) return;
    std::memcpy(out_.data() + size_, data, count);
    size_ += count;
  }
  void text(std::string_view value) { bytes(value.data(), value.size()); }
  void u16_at(std::size_t at, std::uint16_t value) {
    if (!fits_) return;
    out_[at] = static_cast<std::uint8_t>(value >> 8);
    out_[at + 1] = static_cast<std::uint8_t>(value);
  }

  /// A name whose tail is a pointer when that tail stands in the message already. Only bytes of the same case are
  /// shared: the case of a question is the asker's, that of a node name the registry's.
  void name(const Name& name, Pointers pointers = Pointers::allowed) {
    const std::string_view wire = name.wire();
    for (std::size_t at = 0; wire[at] != '\0'; at += 1U + static_cast<unsigned char>(wire[at])) {
      const auto known = find_or_add(wire.substr(at), size_);
      if (known != 0 && pointers == Pointers::allowed) {
        u16(static_cast<std::uint16_t>(0xc000 | known));
        return;
      }
      text(wire.substr(at, 1U + static_cast<unsigned char>(wire[at])));
    }
    u8(0);
  }
  void data(const Data& data) {
    std::visit([this](const auto& value) { write(value); }, data);
  }

 private:
  bool room(std::size_t count) {
    if (fits_ && out_.size() - size_ >= count) return true;
    fits_ = false;
    return false;
  }

  [[nodiscard]] bool stands_at(std::size_t offset, std::string_view tail) const {
    for (std::size_t at = 0;;) {
      if (offset >= size_) return false;  // the name being written now, not finished yet
      while ((out_[offset] & 0xc0) == 0xc0) {
        offset = static_cast<std::size_t>(out_[offset] & 0x3f) << 8 | out_[offset + 1];
      }
      const std::size_t length = 1U + static_cast<unsigned char>(tail[at]);
      if (offset + length > size_ || std::memcmp(out_.data() + offset, tail.data() + at, length) != 0) return false;
      if (length == 1) return true;
      offset += length;
      at += length;
    }
  }

  /// The offset of an equal tail, or 0 after noting that this one will stand at `here`.
  std::uint16_t find_or_add(std::string_view tail, std::size_t here) {
    const std::size_t hash = std::hash<std::string_view>{}(tail);
    for (std::size_t probe = 0; probe < 8; ++probe) {
      auto& slot = encoder_.slots_[(hash + probe) % encoder_.slots_.size()];
      if (slot.generation != encoder_.generation_ || slot.offset == 0) {
        if (here < 0x4000) slot = {static_cast<std::uint16_t>(here), encoder_.generation_};
        return 0;
      }
      if (stands_at(slot.offset, tail)) return slot.offset;
    }
    return 0;
  }

  void write(const Ipv4& value) { bytes(value.bytes.data(), value.bytes.size()); }
  void write(const Ipv6& value) { bytes(value.bytes.data(), value.bytes.size()); }
  void write(const Target& value) { name(value.name); }
  void write(const Mx& value) {
    u16(value.preference);
    name(value.exchange);
  }
  void write(const Srv& value) {
    u16(value.priority);
    u16(value.weight);
    u16(value.port);
    name(value.target, Pointers::none);  // RFC 2782; others may point to it
  }
  void write(const Txt& value) {
    for (const auto& string : value.strings) {
      if (string.size() > 255) fits_ = false;
      u8(static_cast<std::uint8_t>(string.size()));
      text(string);
    }
  }
  void write(const Soa& value) {
    name(value.primary);
    name(value.mailbox);
    for (const auto number : {value.serial, value.refresh, value.retry, value.expire, value.minimum}) u32(number);
  }
  void write(const Opaque& value) { text(value.bytes); }

  Encoder& encoder_;
  std::span<std::uint8_t> out_;
  std::size_t size_ = 0;
  bool fits_ = true;
};

namespace {

std::uint16_t flags_of(const Header& header) {
  const auto bit = [](bool on, int mask) { return on ? mask : 0; };
  return static_cast<std::uint16_t>(bit(header.response, 0x8000) | (static_cast<int>(header.opcode) & 0xf) << 11 |
                                    bit(header.authoritative, 0x0400) | bit(header.truncated, 0x0200) |
                                    bit(header.recursion_desired, 0x0100) | bit(header.recursion_available, 0x0080) |
                                    bit(header.reserved, 0x0040) | bit(header.authentic_data, 0x0020) |
                                    bit(header.checking_disabled, 0x0010) | (static_cast<int>(header.rcode) & 0xf));
}

template <class Writer>
void write_record(Writer& writer, const Record& record) {
  writer.name(record.name);
  writer.u16(static_cast<std::uint16_t>(record.type));
  writer.u16(record.klass);
  writer.u32(record.ttl);
  const std::size_t length_at = writer.size();
  writer.u16(0);
  writer.data(record.data);
  if (writer.fits()) writer.u16_at(length_at, static_cast<std::uint16_t>(writer.size() - length_at - 2));
}

template <class Writer>
void write_edns(Writer& writer, const Edns& edns) {
  writer.u8(0);
  writer.u16(static_cast<std::uint16_t>(Type::opt));
  writer.u16(edns.udp_bytes);
  writer.u8(edns.extended_rcode);
  writer.u8(edns.version);
  writer.u16(edns.flags);
  writer.u16(static_cast<std::uint16_t>(edns.options.size()));
  writer.text(edns.options);
}

}  // namespace

std::size_t Encoder::encode(const Message& message, std::span<std::uint8_t> out) {
  if (++generation_ == 0) {  // after 65535 messages: forget them all, lest old slots look new
    slots_.fill({});
    generation_ = 1;
  }
  Writer writer(*this, out.first(std::min(out.size(), max_message_bytes)));
  writer.u16(message.header.id);
  writer.u16(flags_of(message.header));
  writer.u16(static_cast<std::uint16_t>(message.questions.size()));
  writer.u16(static_cast<std::uint16_t>(message.answers.size()));
  writer.u16(static_cast<std::uint16_t>(message.authority.size()));
  writer.u16(static_cast<std::uint16_t>(message.additional.size() + (message.edns ? 1 : 0)));
  for (const auto& question : message.questions) {
    writer.name(question.name);
    writer.u16(static_cast<std::uint16_t>(question.type));
    writer.u16(question.klass);
  }
  for (const auto* section : {&message.answers, &message.authority, &message.additional}) {
    for (const auto& record : *section) {
      write_record(writer, record);
      if (!writer.fits()) return 0;
    }
  }
  if (message.edns) write_edns(writer, *message.edns);
  return writer.fits() ? writer.size() : 0;
}

std::vector<std::uint8_t> encode(const Message& message) {
  thread_local Encoder encoder;
  std::vector<std::uint8_t> out(max_message_bytes);
  out.resize(encoder.encode(message, out));
  return out;
}

}  // namespace devstack::dns
