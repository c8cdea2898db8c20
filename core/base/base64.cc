#include "core/base/base64.h"

#include <cstddef>
#include <cstdint>

namespace devstack {
namespace {

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlSafe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string_view digits_of(Base64 alphabet) { return alphabet == Base64::standard ? kStandard : kUrlSafe; }

/// Four characters become three bytes. Where an error is, is told as Go tells it.
class Decoder {
 public:
  Decoder(std::string_view text, Base64 alphabet) : text_(text), digits_(digits_of(alphabet)) {}

  Result<std::string> run() {
    std::string out;
    out.reserve(text_.size() / 4 * 3);
    bool more = true;
    while (more) {
      TRY(more, group(out));
    }
    return out;
  }

 private:
  static tl::unexpected<Error> corrupt(std::size_t at) {
    return fail(Errc::parse, "illegal base64 data at input byte {}", at);
  }
  void skip_line_ends() {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
  }

  /// Whether another may follow.
  Result<bool> group(std::string& out) {
    std::uint32_t bits = 0;
    for (unsigned have = 0; have < 4; ++have) {
      skip_line_ends();
      if (at_ == text_.size()) {
        if (have == 0) return false;
        return corrupt(at_ - have);
      }
      const char c = text_[at_++];
      if (c == '=') return padding(have, bits << 6U * (4 - have), out);
      const auto value = digits_.find(c);
      if (value == std::string_view::npos) return corrupt(at_ - 1);
      bits = bits << 6U | static_cast<std::uint32_t>(value);
    }
    append(bits, 3, out);
    return true;
  }

  Result<bool> padding(unsigned have, std::uint32_t bits, std::string& out) {
    if (have < 2) return corrupt(at_ - 1);
    skip_line_ends();
    if (have == 2) {
      if (at_ == text_.size()) return corrupt(at_);
      if (text_[at_] != '=') return corrupt(at_ - 1);
      ++at_;
      skip_line_ends();
    }
    if (at_ < text_.size()) return corrupt(at_);
    append(bits, have - 1, out);
    return false;
  }

  static void append(std::uint32_t bits, unsigned bytes, std::string& out) {
    for (unsigned i = 0; i < bytes; ++i) out.push_back(static_cast<char>(bits >> (16U - 8U * i) & 0xFFU));
  }

  std::string_view text_, digits_;
  std::size_t at_ = 0;
};

}  // namespace

void append_base64(std::string& out, std::string_view bytes, Base64 alphabet) {
  const char* digits = digits_of(alphabet).data();
  const std::size_t start = out.size();
  out.resize(start + (bytes.size() + 2) / 3 * 4, '=');
  char* to = out.data() + start;
  std::size_t at = 0;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])); };
  for (; at + 3 <= bytes.size(); at += 3) {
    const std::uint32_t group = byte(at) << 16U | byte(at + 1) << 8U | byte(at + 2);
    *to++ = digits[group >> 18U];
    *to++ = digits[group >> 12U & 63U];
    *to++ = digits[group >> 6U & 63U];
    *to++ = digits[group & 63U];
  }
  const std::size_t left = bytes.size() - at;
  if (left == 0) return;
  const std::uint32_t group = byte(at) << 16U | (left == 2 ? byte(at + 1) << 8U : 0);
  *to++ = digits[group >> 18U];
  *to++ = digits[group >> 12U & 63U];
  if (left == 2) *to = digits[group >> 6U & 63U];
}

std::string encode_base64(std::string_view bytes, Base64 alphabet) {
  std::string out;
  append_base64(out, bytes, alphabet);
  return out;
}

Result<std::string> decode_base64(std::string_view text, Base64 alphabet) { return Decoder(text, alphabet).run(); }

std::string decode_base64_prefix(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    auto value = kStandard.find(c);
    if (value == std::string_view::npos) value = kUrlSafe.find(c);
    if (value == std::string_view::npos) break;
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    out.push_back(static_cast<char>(bits >> static_cast<unsigned>(have) & 0xFFU));
  }
  return out;
}

}  // namespace devstack
