#include "core/docker/ignore.h"

#include <span>

namespace devstack::docker {
namespace {

std::vector<std::string> parts_of(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const auto slash = path.find('/');
    const auto part = path.substr(0, slash);
    if (part == ".." && !parts.empty()) {
      parts.pop_back();
    } else if (!part.empty() && part != "." && part != "..") {
      parts.emplace_back(part);
    }
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return parts;
}

/// "[a-z]" or "[^a-z]" at the front of `pattern`; moves behind it. Nothing when it has no end.
bool matches_class(std::string_view& pattern, char c) {
  auto at = std::size_t{1};
  const bool negated = at < pattern.size() && pattern[at] == '^';
  if (negated) ++at;
  bool found = false;
  bool first = true;
  for (; at < pattern.size() && (first || pattern[at] != ']'); ++at) {
    first = false;
    if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
    const char low = pattern[at];
    char high = low;
    if (at + 2 < pattern.size() && pattern[at + 1] == '-' && pattern[at + 2] != ']') {
      high = pattern[at + 2];
      at += 2;
    }
    found = found || (low <= c && c <= high);
  }
  pattern.remove_prefix(std::min(at + 1, pattern.size()));
  return found != negated;
}

/// One part of a path: `*`, `?`, `[…]` and `\`, as Go's filepath.Match has them.
bool matches_part(std::string_view pattern, std::string_view text) {
  while (!pattern.empty()) {
    if (pattern.front() == '*') {
      pattern.remove_prefix(1);
      for (std::size_t skip = 0; skip <= text.size(); ++skip) {
        if (matches_part(pattern, text.substr(skip))) return true;
      }
      return false;
    }
    if (text.empty()) return false;
    if (pattern.front() == '[') {
      if (!matches_class(pattern, text.front())) return false;
    } else {
      if (pattern.front() == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
      if (pattern.front() != '?' && pattern.front() != text.front()) return false;
      pattern.remove_prefix(1);
    }
    text.remove_prefix(1);
  }
  return text.empty();
}

/// Whether the pattern covers the path or a folder above it.
bool covers(std::span<const std::string> pattern, std::span<const std::string> path) {
  if (pattern.empty()) return true;
  if (pattern.front() == "**") {
    if (pattern.size() == 1) return !path.empty();
    for (std::size_t skip = 0; skip <= path.size(); ++skip) {
      if (covers(pattern.subspan(1), path.subspan(skip))) return true;
    }
    return false;
  }
  if (path.empty() || !matches_part(pattern.front(), path.front())) return false;
  return covers(pattern.subspan(1), path.subspan(1));
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view white = " \t\r";
  const auto begin = line.find_first_not_of(white);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(white) - begin + 1);
}

}  // namespace

IgnoreRules::IgnoreRules(std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#') continue;
    Rule rule;
    rule.exception = line.front() == '!';
    if (rule.exception) line = trimmed(line.substr(1));
    rule.parts = parts_of(line);
    if (rule.parts.empty()) continue;
    exceptions_ = exceptions_ || rule.exception;
    rules_.push_back(std::move(rule));
  }
}

bool IgnoreRules::ignores(std::string_view path) const {
  const auto parts = parts_of(path);
  bool ignored = false;
  for (const auto& rule : rules_) {
    if (rule.exception == ignored && covers(rule.parts, parts)) ignored = !rule.exception;
  }
  return ignored;
}

}  // namespace devstack::docker
