#include "core/stack/words.h"

namespace devstack::stack {
namespace {

/// The length of a reference to PORT at the start of `text`; 0 when there is none.
std::size_t port_reference(std::string_view text) {
  constexpr std::string_view name = "PORT";
  if (text.starts_with("$PORT")) {
    const char next = text.size() > 5 ? text[5] : ' ';
    const bool longer = next == '_' || std::isalnum(static_cast<unsigned char>(next)) != 0;
    return longer ? 0 : 1 + name.size();
  }
  if (!text.starts_with("${PORT")) return 0;
  const char next = text.size() > 6 ? text[6] : ' ';
  if (next == '_' || std::isalnum(static_cast<unsigned char>(next)) != 0) return 0;
  const auto close = text.find('}');
  return close == std::string_view::npos ? 0 : close + 1;
}

}  // namespace

Result<std::vector<std::string>> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool open = false;  // a word has begun, if only by empty quotes
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else if (c == '\\' && quote == '"' && i + 1 < text.size() &&
                 std::string_view("\"\\$`").find(text[i + 1]) != std::string_view::npos) {
        word += text[++i];
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      open = true;
    } else if (c == '\\' && i + 1 < text.size()) {
      word += text[++i];
      open = true;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (open) words.push_back(std::move(word));
      word.clear();
      open = false;
    } else {
      word += c;
      open = true;
    }
  }
  if (quote != 0) return fail(Errc::parse, "a quote ({}) is not closed", quote);
  if (open) words.push_back(std::move(word));
  return words;
}

std::string quote_word(std::string_view word) {
  std::string out = "'";
  while (!word.empty()) {
    if (const auto length = port_reference(word); length > 0) {
      out += "'\"";
      out += word.substr(0, length);
      out += "\"'";
      word.remove_prefix(length);
      continue;
    }
    if (word[0] == '\'') {
      out += "'\\''";
    } else {
      out += word[0];
    }
    word.remove_prefix(1);
  }
  return out + "'";
}

bool names_port(std::string_view word) {
  for (auto at = word.find('$'); at != std::string_view::npos; at = word.find('$', at + 1)) {
    if (port_reference(word.substr(at)) > 0) return true;
  }
  return false;
}

}  // namespace devstack::stack
