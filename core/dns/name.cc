#include "core/dns/name.h"

#include <algorithm>

namespace devstack::dns {
namespace {

constexpr std::size_t max_label_bytes = 63;
constexpr std::size_t max_name_bytes = 255;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// One possibly escaped byte of presentation form at `at`, which moves past it.
Result<char> read_byte(std::string_view text, std::size_t& at) {
  if (text[at] != '\\') return text[at++];
  ++at;
  if (at < text.size() && !is_digit(text[at])) return text[at++];
  if (at + 3 > text.size() || !is_digit(text[at + 1]) || !is_digit(text[at + 2])) {
    return fail(Errc::parse, "\"{}\" is not a domain name: a backslash needs a character or three digits", text);
  }
  const int value = (text[at] - '0') * 100 + (text[at + 1] - '0') * 10 + (text[at + 2] - '0');
  if (value > 255) return fail(Errc::parse, "\"{}\" is not a domain name: \\{} is no byte", text, value);
  at += 3;
  return static_cast<char>(value);
}

void append_escaped(std::string& out, std::string_view label) {
  for (const char c : label) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '.' || c == '\\' || c == '"' || c == ';' || c == '(' || c == ')' || c == '@' || c == '$') {
      out += '\\';
      out += c;
    } else if (byte <= ' ' || byte >= 127) {
      out += fmt::format("\\{:03}", byte);
    } else {
      out += c;
    }
  }
}

}  // namespace

Result<Name> Name::parse(std::string_view text) {
  Name name;
  if (text == ".") return name;
  if (text.empty()) return fail(Errc::parse, "a domain name is empty");
  name.wire_.clear();
  std::size_t start = 0;  // of the current label's length byte
  name.wire_ += '\0';
  const auto close_label = [&]() -> Result<void> {
    const std::size_t size = name.wire_.size() - start - 1;
    if (size == 0) return fail(Errc::parse, "\"{}\" is not a domain name: it has an empty label", text);
    if (size > max_label_bytes) return fail(Errc::parse, "\"{}\" is not a domain name: a label is over 63 bytes", text);
    name.wire_[start] = static_cast<char>(size);
    start = name.wire_.size();
    name.wire_ += '\0';
    return {};
  };
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '.') {
      ++at;
      CHECK(close_label());
    } else {
      TRY(const char byte, read_byte(text, at));
      name.wire_ += byte;
    }
  }
  if (text.back() != '.' || name.wire_.size() - start > 1) CHECK(close_label());
  if (name.wire_.size() > max_name_bytes)
    return fail(Errc::parse, "\"{}\" is not a domain name: it is over 255 bytes", text);
  return name;
}

std::optional<Name> Name::join(std::string_view prefix, const Name& suffix) {
  if (prefix.size() + 1 + suffix.wire_.size() > max_name_bytes) return std::nullopt;
  Name name;
  name.wire_.clear();
  name.wire_.reserve(prefix.size() + 1 + suffix.wire_.size());
  for (std::size_t at = 0; at <= prefix.size();) {
    const std::size_t end = std::min(prefix.find('.', at), prefix.size());
    const std::size_t size = end - at;
    if (size == 0 || size > max_label_bytes) return std::nullopt;
    name.wire_ += static_cast<char>(size);
    name.wire_ += prefix.substr(at, size);
    at = end + 1;
  }
  name.wire_ += suffix.wire_;
  return name;
}

Name Name::from_valid_wire(std::string wire) {
  Name name;
  name.wire_ = std::move(wire);
  return name;
}

Labels Name::labels() const {
  Labels out;
  const std::string_view wire = wire_;
  for (std::size_t at = 0; wire[at] != '\0';) {
    const auto size = static_cast<unsigned char>(wire[at]);
    out.push_back(wire.substr(at + 1, size));
    at += 1 + size;
  }
  return out;
}

std::string Name::to_text() const {
  if (is_root()) return ".";
  std::string out;
  out.reserve(wire_.size());
  for (const auto label : labels()) {
    append_escaped(out, label);
    out += '.';
  }
  return out;
}

Name Name::lowered() const {
  Name out = *this;
  // Length bytes are at most 63, below 'A': lowering every byte leaves them alone.
  for (char& c : out.wire_) c = to_lower(c);
  return out;
}

bool Name::within(const Name& zone) const {
  if (zone.wire_.size() > wire_.size()) return false;
  const std::size_t cut = wire_.size() - zone.wire_.size();
  if (!equal_ignoring_case(std::string_view(wire_).substr(cut), zone.wire_)) return false;
  std::size_t at = 0;
  while (at < cut) at += 1 + static_cast<unsigned char>(wire_[at]);
  return at == cut;
}

bool operator==(const Name& a, const Name& b) { return equal_ignoring_case(a.wire_, b.wire_); }

}  // namespace devstack::dns
