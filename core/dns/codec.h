#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/dns/message.h"

/// Messages to and from bytes. Pure, bounded by the size of the input, for bytes of any origin. Any thread.
namespace devstack::dns {

using Bytes = std::span<const std::uint8_t>;

inline constexpr std::size_t header_bytes = 12;
inline constexpr std::size_t max_message_bytes = 65535;

/// The whole message. Compressed names may only point backwards (so there is no loop), and counts are believed only as
/// far as bytes follow. Bytes after the last record are ignored. Errc::parse says what is wrong.
Result<Message> decode(Bytes bytes);

/// The first twelve bytes alone, for answering what cannot be read further. Errc::parse when there are fewer.
Result<Header> decode_header(Bytes bytes);

/// Where the question section of a message with exactly one question ends; Errc::parse for anything else.
Result<std::size_t> question_end(Bytes bytes);

/// Writes messages with compressed names. Keeps its table between calls, so that encoding allocates nothing: one for
/// each thread.
class Encoder {
 public:
  /// Number of bytes written to `out`, or 0 when it does not fit. The sizes of `message` are the caller's duty: a TXT
  /// string over 255 bytes counts as not fitting.
  std::size_t encode(const Message& message, std::span<std::uint8_t> out);

 private:
  class Writer;
  struct Slot {
    std::uint16_t offset = 0;  ///< of a name already written; 0 is free
    std::uint16_t generation = 0;
  };
  std::array<Slot, 2048> slots_{};
  std::uint16_t generation_ = 0;
};

/// The message in its own bytes; empty when it is over 64 KiB.
std::vector<std::uint8_t> encode(const Message& message);

}  // namespace devstack::dns
