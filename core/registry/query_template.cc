#include "core/registry/query_template.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>

namespace devstack::registry {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

struct Interpolation::Reader {
  std::string_view text;
  std::size_t at = 0;

  [[nodiscard]] bool ended() const { return at >= text.size(); }
  void skip_space() {
    while (!ended() && is_space(text[at])) ++at;
  }
  [[nodiscard]] std::string position(std::size_t where) const {
    const auto before = text.substr(0, where);
    const auto line_start = before.rfind('\n');
    return fmt::format("{}:{}", 1 + std::count(before.begin(), before.end(), '\n'),
                       where - (line_start == std::string_view::npos ? 0 : line_start + 1) + 1);
  }
  [[nodiscard]] tl::unexpected<Error> expected(std::string_view what) const {
    const std::string found = ended() ? "end of string" : fmt::format("\"{}\"", text[at]);
    return fail(Errc::parse, "parse error at {}: expected {} but found {}", position(at), what, found);
  }
};

Interpolation::Interpolation(std::string_view asked, std::string_view prefix, std::string_view regexp)
    : asked_(asked), prefix_(prefix) {
  if (regexp.empty()) return;
  const re2::RE2 regex(re2::StringPiece(regexp.data(), regexp.size()), re2::RE2::Quiet);
  if (!regex.ok()) return;
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(regex.NumberOfCapturingGroups()) + 1);
  const re2::StringPiece text(asked_.data(), asked_.size());
  if (!regex.Match(text, 0, text.size(), re2::RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()))) return;
  for (const auto& group : groups) groups_.emplace_back(group.data() == nullptr ? "" : group.ToString());
}

Result<std::string> Interpolation::fill(std::string_view text) const {
  Reader reader{text};
  std::string out;
  while (!reader.ended()) {
    const auto rest = text.substr(reader.at);
    if (rest.starts_with("$${")) {
      out += "${";
      reader.at += 3;
    } else if (rest.starts_with("${")) {
      reader.at += 2;
      TRY(const auto value, evaluate(reader));
      out += value;
    } else {
      out += text[reader.at++];
    }
  }
  return out;
}

Result<std::string> Interpolation::evaluate(Reader& reader) const {
  reader.skip_space();
  const std::size_t start = reader.at;
  if (reader.ended() || !is_letter(reader.text[start])) return reader.expected("expression");
  while (!reader.ended() && is_name(reader.text[reader.at])) ++reader.at;
  const std::string name(reader.text.substr(start, reader.at - start));
  std::string value;
  if (!reader.ended() && reader.text[reader.at] == '(') {
    TRY(value, call(reader, name, start));
  } else {
    reader.skip_space();
  }
  if (reader.ended() || reader.text[reader.at] != '}') return reader.expected("\"}\"");
  ++reader.at;
  if (reader.text[start + name.size()] == '(') return value;
  if (name == "name.full") return asked_;
  if (name == "name.prefix") return prefix_;
  if (name == "name.suffix") return asked_.starts_with(prefix_) ? asked_.substr(prefix_.size()) : asked_;
  if (name == "agent.segment") return std::string();
  return fail(Errc::failed, "{}: unknown variable accessed: {}", reader.position(start), name);
}

Result<std::string> Interpolation::call(Reader& reader, const std::string& function, std::size_t start) const {
  ++reader.at;
  const std::size_t close = std::min(reader.text.find_first_of(")}", reader.at), reader.text.size());
  std::string argument(reader.text.substr(reader.at, close - reader.at));
  std::erase_if(argument, is_space);
  reader.at = close;
  if (reader.ended() || reader.text[close] != ')') return reader.expected("\")\"");
  ++reader.at;
  reader.skip_space();
  if (function != "match") {
    return fail(Errc::failed, "{}: unknown function called: {}", reader.position(start), function);
  }
  const auto count = argument.empty() ? 0 : 1 + std::count(argument.begin(), argument.end(), ',');
  if (count != 1) {
    return fail(Errc::failed, "{}: match: expected 1 arguments, got {}", reader.position(start), count);
  }
  int number = 0;
  const char* end = argument.data() + argument.size();
  const auto [at, error] = std::from_chars(argument.data(), end, number);
  if (error != std::errc() || at != end) {
    return fail(Errc::failed, "__builtin_StringToInt: strconv.ParseInt: parsing \"{}\": invalid syntax", argument);
  }
  const bool there = number >= 0 && static_cast<std::size_t>(number) < groups_.size();
  return there ? groups_[static_cast<std::size_t>(number)] : std::string();
}

}  // namespace devstack::registry
