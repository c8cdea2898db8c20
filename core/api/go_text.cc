#include "core/api/go_text.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

namespace devstack::api {
namespace {

std::string_view said_by_go(re2::RE2::ErrorCode code) {
  using re2::RE2;
  switch (code) {
    case RE2::ErrorBadEscape:
      return "invalid escape sequence";
    case RE2::ErrorBadCharClass:
    case RE2::ErrorBadCharRange:
      return "invalid character class range";
    case RE2::ErrorMissingBracket:
      return "missing closing ]";
    case RE2::ErrorMissingParen:
      return "missing closing )";
    case RE2::ErrorUnexpectedParen:
      return "unexpected )";
    case RE2::ErrorTrailingBackslash:
      return "trailing backslash at end of expression";
    case RE2::ErrorRepeatArgument:
      return "missing argument to repetition operator";
    case RE2::ErrorRepeatSize:
      return "invalid repeat count";
    case RE2::ErrorRepeatOp:
      return "invalid nested repetition operator";
    case RE2::ErrorBadPerlOp:
      return "invalid or unsupported Perl syntax";
    case RE2::ErrorBadUTF8:
      return "invalid UTF-8";
    case RE2::ErrorBadNamedCapture:
      return "invalid named capture";
    case RE2::ErrorPatternTooLarge:
      return "expression nests too deeply";
    case RE2::NoError:
    case RE2::ErrorInternal:
      return "internal error";
  }
  return "internal error";
}

}  // namespace

std::string go_quote(std::string_view text) {
  static constexpr std::string_view kSpecial = "\a\b\f\n\r\t\v\"\\";
  static constexpr std::string_view kLetter = "abfnrtv\"\\";
  std::string out = "\"";
  for (const char c : text) {
    const auto special = kSpecial.find(c);
    if (special != std::string_view::npos) {
      out.append(1, '\\').append(1, kLetter[special]);
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  return out + '"';
}

bool go_unquote(std::string_view whole, std::string& out) {
  const auto inner = whole.substr(1, whole.size() - 2);
  out.clear();
  if (whole.front() == '`') {
    std::copy_if(inner.begin(), inner.end(), std::back_inserter(out), [](char c) { return c != '\r'; });
    return true;
  }
  for (std::size_t i = 0; i < inner.size(); ++i) {
    static constexpr std::string_view kLetters = "abfnrtv\\";
    static constexpr std::string_view kMeant = "\a\b\f\n\r\t\v\\";
    if (inner[i] == '\n') return out.clear(), false;
    if (inner[i] != '\\') {
      out += inner[i];
      continue;
    }
    const auto found = ++i < inner.size() ? kLetters.find(inner[i]) : std::string_view::npos;
    if (found == std::string_view::npos) return out.clear(), false;
    out += kMeant[found];
  }
  return true;
}

std::string regexp_error(const re2::RE2& regex) {
  return fmt::format("error parsing regexp: {}: `{}`", said_by_go(regex.error_code()), regex.error_arg());
}

}  // namespace devstack::api
