#include "core/host/resolv_conf.h"

#include <algorithm>

namespace devstack::host {
namespace {

constexpr std::string_view kMark = "# The next line is devstack's: `devstack host undo` takes it away.\n";

/// With their newlines.
std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto length = end == std::string_view::npos ? text.size() : end + 1;
    lines.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return lines;
}

std::vector<std::string> words_of(std::string_view line) {
  constexpr std::string_view blank = " \t\r\n";
  std::vector<std::string> words;
  for (auto start = line.find_first_not_of(blank); start != std::string_view::npos;
       start = line.find_first_not_of(blank)) {
    line.remove_prefix(start);
    const auto end = std::min(line.find_first_of(blank), line.size());
    words.emplace_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

bool is(const std::string& line, std::string_view keyword) {
  const auto words = words_of(line);
  return !words.empty() && words.front() == keyword;
}

void take_out_ours(std::vector<std::string>& lines) {
  for (auto at = std::find(lines.begin(), lines.end(), kMark); at != lines.end();
       at = std::find(at, lines.end(), kMark)) {
    at = lines.erase(at, std::min(at + 2, lines.end()));
  }
}

/// The domains tried for short names: the last `search` or `domain` line counts.
std::string search_list(const std::vector<std::string>& lines) {
  std::string found;
  for (const auto& line : lines) {
    if (!is(line, "search") && !is(line, "domain")) continue;
    found.clear();
    const auto words = words_of(line);
    for (auto word = words.begin() + 1; word != words.end(); ++word) found += " " + *word;
  }
  return found;
}

}  // namespace

std::vector<std::string> nameservers(std::string_view text) {
  std::vector<std::string> found;
  for (const auto& line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.size() > 1 && words.front() == "nameserver") found.push_back(words[1]);
  }
  return found;
}

bool has_option(std::string_view text, std::string_view name) {
  for (const auto& line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.empty() || words.front() != "options") continue;
    if (std::find(words.begin() + 1, words.end(), name) != words.end()) return true;
  }
  return false;
}

std::string point_at(std::string_view text, const std::string& address, const std::string& search) {
  auto lines = lines_of(text);
  take_out_ours(lines);
  if (!lines.empty() && !lines.back().ends_with('\n')) lines.back() += '\n';
  const auto first = std::find_if(lines.begin(), lines.end(), [](const auto& line) { return is(line, "nameserver"); });
  const bool is_first = first != lines.end() && words_of(*first).size() > 1 && words_of(*first)[1] == address;
  if (!is_first) lines.insert(first, std::string(kMark) + "nameserver " + address + "\n");
  const auto domains = search_list(lines);
  if (!search.empty() && (domains + " ").find(" " + search + " ") == std::string::npos) {
    lines.push_back(std::string(kMark) + "search" + domains + " " + search + "\n");
  }
  std::string out;
  for (const auto& line : lines) out += line;
  return out;
}

}  // namespace devstack::host
