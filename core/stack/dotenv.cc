// The .env grammar of Compose. https://docs.docker.com/reference/compose-file/services/#env_file-format
#include "core/stack/interpolate.h"

namespace devstack::stack {
namespace {

std::string_view trim(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}

char unescape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

/// `"…"` may span lines; `text` starts after the opening quote and is left after the closing one.
Result<std::string> double_quoted(std::string_view& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return out;
    }
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char next = text[++i];
    if (next == '$') {
      out += "$$";  // kept from the substitution that follows
    } else if (next == '"' || next == '\\' || unescape(next) != next) {
      out += unescape(next);
    } else {
      out += '\\';
      out += next;
    }
  }
  return fail(Errc::parse, "a double quote is not closed");
}

Result<std::string> single_quoted(std::string_view& text) {
  const auto end = text.find('\'');
  if (end == std::string_view::npos) return fail(Errc::parse, "a single quote is not closed");
  std::string out(text.substr(0, end));
  text.remove_prefix(end + 1);
  return out;
}

/// Up to the end of the line, or to a `#` after a blank.
std::string unquoted(std::string_view& text) {
  auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(line.size());
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t')) {
      line = line.substr(0, i);
      break;
    }
  }
  return std::string(trim(line));
}

class Dotenv {
 public:
  explicit Dotenv(const Environment& environment) : environment_(environment) {}

  Result<void> line(std::string_view& rest) {
    const auto end = rest.find('\n');
    const auto whole = trim(rest.substr(0, end));
    const auto equals = rest.find('=');
    if (whole.empty() || whole[0] == '#' || equals >= std::min(end, rest.size())) {
      rest.remove_prefix(std::min(end, rest.size()));
      return {};
    }
    auto name = trim(rest.substr(0, equals));
    if (name.starts_with("export ")) name = trim(name.substr(7));
    if (name.empty() || name.find_first_of(" \t") != std::string_view::npos) {
      return fail(Errc::parse, "`{}` is no variable name", name);
    }
    rest.remove_prefix(equals + 1);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    TRY(std::string text, value(rest));
    values[std::string(name)] = std::move(text);
    return {};
  }

  Environment values;

 private:
  Result<std::string> value(std::string_view& rest) {
    if (rest.starts_with('\'')) {
      rest.remove_prefix(1);
      TRY(std::string literal, single_quoted(rest));
      unquoted(rest);
      return literal;
    }
    std::string text;
    if (rest.starts_with('"')) {
      rest.remove_prefix(1);
      TRY(text, double_quoted(rest));
      unquoted(rest);
    } else {
      text = unquoted(rest);
    }
    const Variables variables{.value = [this](const std::string& name) { return lookup(name); },
                              .unset = [](const std::string&) {},
                              .keep = {}};
    return interpolate(text, variables);
  }

  std::optional<std::string> lookup(const std::string& name) const {
    for (const auto* source : {&environment_, &values}) {
      if (const auto at = source->find(name); at != source->end()) return at->second;
    }
    return std::nullopt;
  }

  const Environment& environment_;
};

}  // namespace

Result<Environment> read_dotenv(std::string_view text, std::string_view file, const Environment& environment) {
  Dotenv reader(environment);
  const std::string_view whole = text;
  while (!text.empty()) {
    const auto before = whole.substr(0, whole.size() - text.size());
    const int number = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
    if (auto read = reader.line(text); !read) {
      return fail_at({std::string(file), number, 0}, Errc::stack_file, "{}", read.error().message);
    }
    if (!text.empty()) text.remove_prefix(1);
  }
  return std::move(reader.values);
}

}  // namespace devstack::stack
