// The .env grammar of Compose. https://docs.docker.com/reference/compose-file/services/#env_file-format
#include <algorithm>
#include <cctype>

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

/// Literal but for `\'`, which stands for a quote.
Result<std::string> single_quoted(std::string_view& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\'') {
      text.remove_prefix(i + 1);
      return out;
    }
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '\'') ++i;
    out += text[i];
  }
  return fail(Errc::parse, "a single quote is not closed");
}

/// Up to the end of the line, or to a `#` after a blank; `after_blank`: one stands before `text`.
std::string unquoted(std::string_view& text, bool after_blank) {
  auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(line.size());
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '#' && (i == 0 ? after_blank : line[i - 1] == ' ' || line[i - 1] == '\t')) {
      line = line.substr(0, i);
      break;
    }
  }
  return std::string(trim(line));
}

bool is_variable_name(std::string_view name) {
  const auto allowed = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-'; };
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
         std::all_of(name.begin(), name.end(), allowed);
}

class Dotenv {
 public:
  Dotenv(std::string_view text, std::string_view file, const Environment& environment)
      : whole_(text), rest_(text), file_(file), environment_(environment) {}

  Result<std::vector<Assignment>> read() {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
    while (!rest_.empty()) {
      CHECK(line());
      if (!rest_.empty()) rest_.remove_prefix(1);
    }
    return std::move(assignments_);
  }

 private:
  /// Leaves `rest_` at the line's end.
  Result<void> line() {
    const auto end = std::min(rest_.find('\n'), rest_.size());
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r"), end));
    auto row = rest_.substr(0, rest_.find('\n'));
    if (row.empty() || row[0] == '#') return skip(row.size());
    if (row.starts_with("export ") || row.starts_with("export\t")) {
      const auto name = row.find_first_not_of(" \t", 6);
      if (name != std::string_view::npos) row.remove_prefix(name);
    }
    const std::string_view begin = row;
    const auto sign = row.find_first_of("=:#");  // `NAME: value` is YAML's way, which Compose takes too
    const auto name = trim(row.substr(0, sign));
    if (!is_variable_name(name)) return wrong(begin, "`{}` is no variable name", trim(row.substr(0, row.find('='))));
    if (sign == std::string_view::npos || row[sign] == '#') {
      inherit(std::string(name), begin);
      return skip(rest_.size() - remaining_after(row));
    }
    rest_ = whole_.substr(offset(row) + sign + 1);
    const auto blanks = std::min(rest_.find_first_not_of(" \t"), rest_.size());
    rest_.remove_prefix(blanks);
    after_blank_ = blanks > 0;
    const std::string_view at = rest_;
    auto text = value();
    if (!text) return wrong(at, "{}", text.error().message);
    add(std::string(name), std::move(*text), begin);
    return {};
  }

  [[nodiscard]] std::size_t offset(std::string_view part) const {
    return static_cast<std::size_t>(part.data() - whole_.data());
  }
  [[nodiscard]] std::size_t remaining_after(std::string_view row) const {
    return whole_.size() - offset(row) - row.size();
  }
  Result<void> skip(std::size_t length) {
    rest_.remove_prefix(length);
    return {};
  }

  [[nodiscard]] SourcePos position(std::string_view part) const {
    const auto before = whole_.substr(0, offset(part));
    const auto start = before.rfind('\n');
    const auto column = before.size() - (start == std::string_view::npos ? 0 : start + 1);
    return {std::string(file_), 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n')),
            1 + static_cast<int>(column)};
  }

  template <class... Args>
  Result<void> wrong(std::string_view part, fmt::format_string<Args...> text, Args&&... args) const {
    return fail_at(position(part), Errc::stack_file, text, std::forward<Args>(args)...);
  }

  void add(std::string name, std::string text, std::string_view at) {
    values_[name] = text;
    assignments_.push_back({std::move(name), std::move(text), position(at)});
  }

  void inherit(const std::string& name, std::string_view at) {
    if (const auto given = environment_.find(name); given != environment_.end()) add(name, given->second, at);
  }

  Result<std::string> value() {
    if (rest_.starts_with('\'')) {
      rest_.remove_prefix(1);
      TRY(std::string literal, single_quoted(rest_));
      CHECK(nothing_more());
      return literal;
    }
    std::string text;
    if (rest_.starts_with('"')) {
      rest_.remove_prefix(1);
      TRY(text, double_quoted(rest_));
      CHECK(nothing_more());
    } else {
      text = unquoted(rest_, after_blank_);
    }
    const Variables variables{.value = [this](const std::string& name) { return lookup(name); },
                              .unset = [](const std::string&) {},
                              .keep = {}};
    return interpolate(text, variables);
  }

  /// After a closing quote only a comment may follow.
  Result<void> nothing_more() {
    const auto more = unquoted(rest_, true);
    if (more.empty()) return {};
    return fail(Errc::parse, "`{}` follows a closing quote", more);
  }

  [[nodiscard]] std::optional<std::string> lookup(const std::string& name) const {
    for (const auto* source : {&environment_, &values_}) {
      if (const auto at = source->find(name); at != source->end()) return at->second;
    }
    return std::nullopt;
  }

  std::string_view whole_, rest_, file_;
  bool after_blank_ = false;  ///< whether one stands before the value
  const Environment& environment_;
  Environment values_;
  std::vector<Assignment> assignments_;
};

}  // namespace

Result<std::vector<Assignment>> read_assignments(std::string_view text, std::string_view file,
                                                 const Environment& environment) {
  return Dotenv(text, file, environment).read();
}

Result<Environment> read_dotenv(std::string_view text, std::string_view file, const Environment& environment) {
  TRY(const auto assignments, read_assignments(text, file, environment));
  Environment values;
  for (const auto& one : assignments) values[one.name] = one.value;
  return values;
}

}  // namespace devstack::stack
