#include "core/template/lexer.h"

#include <algorithm>
#include <cctype>

namespace devstack::templates {
namespace {

using Kind = Token::Kind;

constexpr std::string_view kBlank = " \t\r\n";

bool is_blank(char c) { return kBlank.find(c) != std::string_view::npos; }
bool is_word(char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0 || (c & 0x80) != 0; }

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | (code >> 6U));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0U | (code >> 12U));
    out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | (code >> 18U));
    out += static_cast<char>(0x80U | ((code >> 12U) & 0x3FU));
    out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

/// Takes one escape after its backslash; false when Go has no such escape.
bool unescape(std::string_view& rest, std::string& out) {
  if (rest.empty()) return false;
  const char c = rest.front();
  constexpr std::string_view names = "abfnrtv\\'\"";
  constexpr std::string_view meant = "\a\b\f\n\r\t\v\\'\"";
  if (const auto at = names.find(c); at != std::string_view::npos) {
    out += meant[at];
    rest.remove_prefix(1);
    return true;
  }
  const bool octal = c >= '0' && c <= '7';
  const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : octal ? 3 : 0;
  if (digits == 0) return false;
  if (!octal) rest.remove_prefix(1);
  if (rest.size() < digits) return false;
  std::uint32_t code = 0;
  for (const char digit : rest.substr(0, digits)) {
    const bool fits = octal ? digit >= '0' && digit <= '7' : std::isxdigit(static_cast<unsigned char>(digit)) != 0;
    if (!fits) return false;
    const int value = std::isdigit(static_cast<unsigned char>(digit)) != 0 ? digit - '0' : (digit | 0x20) - 'a' + 10;
    code = code * (octal ? 8 : 16) + static_cast<std::uint32_t>(value);
  }
  rest.remove_prefix(digits);
  if (c == 'x' || octal) {
    out += static_cast<char>(code);
  } else {
    if (code > 0x10FFFF) return false;
    append_utf8(out, code);
  }
  return true;
}

std::uint32_t decode_utf8(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (text.size() == 1 || first < 0x80) return first;
  std::uint32_t code = first & (0xFFU >> (text.size() + 1));
  for (const char c : text.substr(1)) code = (code << 6U) | (static_cast<unsigned char>(c) & 0x3FU);
  return code;
}

/// One character of UTF-8, or one byte of any value (an escape may say so).
bool is_one_character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t size = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  return text.size() == 1 || text.size() == size;
}

class Lexer {
 public:
  Lexer(std::string_view text, std::string_view source, const Delimiters& delimiters)
      : text_(text), source_(source), delimiters_(delimiters) {}

  Result<std::vector<Token>> run() {
    bool trim = false;  // the action before ended in -}}
    while (at_ < text_.size()) {
      const auto open = text_.find(delimiters_.left, at_);
      std::string_view piece = text_.substr(at_, open == std::string_view::npos ? open : open - at_);
      const std::size_t from = at_;
      if (trim) piece.remove_prefix(std::min(piece.find_first_not_of(kBlank), piece.size()));
      if (open == std::string_view::npos) {
        add_text(piece, from);
        break;
      }
      at_ = open + delimiters_.left.size();
      if (trim_marker_opens()) {
        const auto last = piece.find_last_not_of(kBlank);
        piece = piece.substr(0, last == std::string_view::npos ? 0 : last + 1);
        at_ += 1;
      }
      add_text(piece, from);
      TRY(trim, action(open));
    }
    at_ = text_.size();
    add(Kind::end, "", at_);
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] bool starts(std::string_view what, std::size_t at) const { return text_.substr(at).starts_with(what); }
  [[nodiscard]] bool trim_marker_opens() const {
    return at_ + 1 < text_.size() && text_[at_] == '-' && is_blank(text_[at_ + 1]);
  }
  /// The length of " -}}" (without the blank) or "}}" at `at`; 0 when the action does not end there.
  [[nodiscard]] std::size_t close_length(std::size_t at) const {
    if (starts(delimiters_.right, at)) return delimiters_.right.size();
    const bool marker = at > 0 && is_blank(text_[at - 1]) && text_.substr(at).starts_with('-');
    return marker && starts(delimiters_.right, at + 1) ? delimiters_.right.size() + 1 : 0;
  }

  void add(Kind kind, std::string value, std::size_t from) {
    tokens_.push_back({kind, std::move(value), from, at_ - from, std::exchange(space_, false)});
  }
  void add_text(std::string_view piece, std::size_t from) {
    if (!piece.empty()) tokens_.push_back({Kind::text, std::string(piece), from, piece.size(), false});
  }
  template <class... Args>
  [[nodiscard]] tl::unexpected<Error> error(std::size_t offset, fmt::format_string<Args...> format,
                                            Args&&... args) const {
    return fail_at(locate(text_, source_, offset), Errc::parse, format, std::forward<Args>(args)...);
  }

  /// From behind the opening delimiter to behind the closing one; whether that one trims.
  Result<bool> action(std::size_t open) {
    std::size_t start = at_;
    while (start < text_.size() && is_blank(text_[start])) ++start;
    if (starts("/*", start)) return comment(start);
    add(Kind::open, "", open);
    int parentheses = 0;
    while (true) {
      while (at_ < text_.size() && is_blank(text_[at_])) {
        ++at_;
        space_ = true;
      }
      if (at_ >= text_.size()) return error(open, "unclosed action");
      if (const auto length = close_length(at_); length > 0) {
        if (parentheses > 0) return error(at_, "unclosed left paren");
        const bool trims = text_[at_] == '-' && !starts(delimiters_.right, at_);
        at_ += length;
        add(Kind::close, "", at_ - length);
        return trims;
      }
      CHECK(token());
      if (tokens_.back().kind == Kind::left) ++parentheses;
      if (tokens_.back().kind == Kind::right && --parentheses < 0) return error(at_ - 1, "unexpected right paren");
    }
  }

  Result<bool> comment(std::size_t start) {
    const auto end = text_.find("*/", start + 2);
    if (end == std::string_view::npos) return error(start, "unclosed comment");
    at_ = end + 2;
    bool trims = false;
    if (at_ < text_.size() && is_blank(text_[at_]) && text_.substr(at_ + 1).starts_with('-')) {
      trims = true;
      at_ += 2;
    }
    if (!starts(delimiters_.right, at_)) return error(start, "comment ends before closing delimiter");
    at_ += delimiters_.right.size();
    return trims;
  }

  Result<void> token() {
    const std::size_t from = at_;
    const char c = text_[at_];
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (c == '"') return quoted();
    if (c == '`') return raw();
    if (c == '\'') return character();
    if (c == '$') return word(Kind::variable, 1, from);
    if (c == '.' && is_word(next) && std::isdigit(static_cast<unsigned char>(next)) == 0) {
      ++at_;
      return word(Kind::field, 0, at_);
    }
    const bool signed_number =
        (c == '+' || c == '-') && (std::isdigit(static_cast<unsigned char>(next)) != 0 || next == '.');
    if (std::isdigit(static_cast<unsigned char>(c)) != 0 || signed_number || (c == '.' && is_word(next)))
      return number();
    if (is_word(c)) return word(Kind::identifier, 0, from);
    return punctuation(c, next);
  }

  Result<void> punctuation(char c, char next) {
    const std::size_t from = at_;
    if (c == ':' && next == '=') {
      at_ += 2;
      add(Kind::declare, ":=", from);
      return {};
    }
    constexpr std::string_view marks = "|,()=.";
    constexpr Kind kinds[] = {Kind::pipe, Kind::comma, Kind::left, Kind::right, Kind::assign, Kind::dot};
    const auto which = marks.find(c);
    if (which == std::string_view::npos) return error(from, "unexpected \"{}\" in operand", c);
    ++at_;
    add(kinds[which], std::string(1, c), from);
    return {};
  }

  Result<void> word(Kind kind, std::size_t skip, std::size_t from) {
    at_ = from + skip;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    add(kind, std::string(text_.substr(from, at_ - from)), from);
    return {};
  }

  Result<void> number() {
    const std::size_t from = at_++;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const bool exponent_sign = (c == '+' || c == '-') && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E');
      if (!is_word(c) && c != '.' && !exponent_sign) break;
      ++at_;
    }
    add(Kind::number, std::string(text_.substr(from, at_ - from)), from);
    return {};
  }

  Result<void> quoted() {
    const std::size_t from = at_;
    std::string_view rest = text_.substr(at_ + 1);
    std::string value;
    while (true) {
      if (rest.empty() || rest[0] == '\n') return error(from, "unterminated quoted string");
      const char c = rest[0];
      rest.remove_prefix(1);
      if (c == '"') break;
      if (c != '\\') {
        value += c;
      } else if (!unescape(rest, value)) {
        return error(from, "invalid escape in a quoted string");
      }
    }
    at_ = text_.size() - rest.size();
    add(Kind::string, std::move(value), from);
    return {};
  }

  Result<void> raw() {
    const std::size_t from = at_;
    const auto end = text_.find('`', at_ + 1);
    if (end == std::string_view::npos) return error(from, "unterminated raw quoted string");
    at_ = end + 1;
    std::string value(text_.substr(from + 1, end - from - 1));
    std::erase(value, '\r');
    add(Kind::string, std::move(value), from);
    return {};
  }

  Result<void> character() {
    const std::size_t from = at_;
    std::string_view rest = text_.substr(at_ + 1);
    std::string value;
    while (!rest.empty() && rest[0] != '\'' && rest[0] != '\n') {
      const char c = rest[0];
      rest.remove_prefix(1);
      if (c != '\\') {
        value += c;
      } else if (!unescape(rest, value)) {
        return error(from, "invalid escape in a character constant");
      }
    }
    if (value.empty() || !rest.starts_with('\'')) return error(from, "unterminated character constant");
    at_ = text_.size() - rest.size() + 1;
    if (!is_one_character(value)) {
      return error(from, "malformed character constant: {}", text_.substr(from, at_ - from));
    }
    add(Kind::character, std::to_string(decode_utf8(value)), from);
    return {};
  }

  std::string_view text_, source_;
  const Delimiters& delimiters_;
  std::size_t at_ = 0;
  bool space_ = false;
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> lex(std::string_view text, std::string_view source, const Delimiters& delimiters) {
  return Lexer(text, source, delimiters).run();
}

SourcePos locate(std::string_view text, std::string_view source, std::size_t offset) {
  const auto before = text.substr(0, offset);
  const auto line_start = before.rfind('\n');
  const auto column = line_start == std::string_view::npos ? before.size() : before.size() - line_start - 1;
  return {std::string(source), 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n')),
          static_cast<int>(column) + 1};
}

}  // namespace devstack::templates
