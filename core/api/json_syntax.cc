#include "core/api/json_syntax.h"

#include <fmt/format.h>

#include "core/api/go_text.h"

namespace devstack::api {
namespace {

constexpr int kDeepest = 64;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// Walks one value; each method returns false once `error_` says why.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::string run() {
    skip_space();
    if (ended()) return "EOF";
    value(0);
    return error_;
  }

 private:
  bool value(int depth) {
    skip_space();
    if (ended()) return eof();
    if (depth > kDeepest) return true;  // whoever reads the value will not go so deep either
    const char c = text_[at_];
    if (c == '{') return object(depth);
    if (c == '[') return array(depth);
    if (c == '"') return string();
    if (c == '-' || is_digit(c)) return number();
    if (c == 't') return word("true");
    if (c == 'f') return word("false");
    if (c == 'n') return word("null");
    return bad("looking for beginning of value");
  }

  bool object(int depth) {
    ++at_;
    skip_space();
    if (take('}')) return true;
    while (true) {
      skip_space();
      if (ended()) return eof();
      if (text_[at_] != '"') return bad("looking for beginning of object key string");
      if (!string()) return false;
      skip_space();
      if (ended()) return eof();
      if (!take(':')) return bad("after object key");
      if (!value(depth + 1)) return false;
      skip_space();
      if (ended()) return eof();
      if (take('}')) return true;
      if (!take(',')) return bad("after object key:value pair");
    }
  }

  bool array(int depth) {
    ++at_;
    skip_space();
    if (take(']')) return true;
    while (true) {
      if (!value(depth + 1)) return false;
      skip_space();
      if (ended()) return eof();
      if (take(']')) return true;
      if (!take(',')) return bad("after array element");
    }
  }

  bool string() {
    ++at_;
    while (!ended()) {
      const char c = text_[at_];
      if (c == '"') return ++at_, true;
      if (static_cast<unsigned char>(c) < 0x20) return bad("in string literal");
      ++at_;
      if (c == '\\' && !escape()) return false;
    }
    return eof();
  }

  bool escape() {
    if (ended()) return eof();
    if (std::string_view("bfnrt\\/\"").find(text_[at_]) != std::string_view::npos) return ++at_, true;
    if (!take('u')) return bad("in string escape code");
    for (int i = 0; i < 4; ++i, ++at_) {
      if (ended()) return eof();
      if (!is_hex(text_[at_])) return bad("in \\u hexadecimal character escape");
    }
    return true;
  }

  bool number() {
    take('-');
    if (!take('0') && !digits("in numeric literal")) return false;
    if (take('.') && !digits("after decimal point in numeric literal")) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      return digits("in exponent of numeric literal");
    }
    return true;
  }

  bool digits(std::string_view where) {
    if (ended()) return eof();
    if (!is_digit(text_[at_])) return bad(where);
    while (!ended() && is_digit(text_[at_])) ++at_;
    return true;
  }

  bool word(std::string_view literal) {
    for (const char expected : literal) {
      if (ended()) return eof();
      if (text_[at_] != expected) return bad(fmt::format("in literal {} (expecting '{}')", literal, expected));
      ++at_;
    }
    return true;
  }

  [[nodiscard]] bool ended() const { return at_ >= text_.size(); }
  void skip_space() {
    while (!ended() && is_space(text_[at_])) ++at_;
  }
  bool take(char c) {
    if (ended() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool eof() {
    error_ = "unexpected EOF";
    return false;
  }
  bool bad(std::string_view where) {
    const char c = text_[at_];
    // As Go's %q of a rune: its single quote is escaped, its double quote is not, and a byte is a rune of Latin-1.
    const auto byte = static_cast<unsigned char>(c);
    const std::string rune =
        byte < 0x80 ? std::string(1, c)
                    : std::string{static_cast<char>(0xC0U | (byte >> 6U)), static_cast<char>(0x80U | (byte & 0x3FU))};
    auto shown = c == '\'' ? std::string("\\'") : c == '"' ? std::string("\"") : go_quote(rune);
    if (c != '\'' && c != '"') shown = shown.substr(1, shown.size() - 2);
    error_ = fmt::format("invalid character '{}' {}", shown, where);
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string error_;
};

}  // namespace

std::string json_syntax_error(std::string_view text) { return Scanner(text).run(); }

}  // namespace devstack::api
