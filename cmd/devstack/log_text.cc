#include "cmd/devstack/log_text.h"

#include <fmt/format.h>

#include <array>

#include "cmd/devstack/terminal.h"

namespace devstack {
namespace {

/// Cyan, yellow, green, magenta, blue, then the same bright: each unit its own, red is for what is wrong.
constexpr std::array kColours{"36", "33", "32", "35", "34", "96", "93", "92", "95", "94"};

}  // namespace

LogPrinter::LogPrinter(LogStyle style, const std::vector<std::string>& names) : style_(style) {
  for (const auto& name : names) width_ = std::max(width_, name.size());
  for (const auto& name : names) prefix_of(name);
}

const std::string& LogPrinter::prefix_of(const std::string& unit) {
  const auto known = prefixes_.find(unit);
  if (known != prefixes_.end()) return known->second;
  width_ = std::max(width_, unit.size());
  const auto colour = kColours[prefixes_.size() % kColours.size()];
  return prefixes_[unit] = terminal::paint(colour, fmt::format("{:<{}} | ", unit, width_));
}

std::string LogPrinter::text(const logs::Record& record) {
  if (style_.json) return logs::to_json(record) + "\n";
  std::string out;
  if (style_.prefix) out += prefix_of(record.unit);
  if (style_.timestamps) out += logs::format_time(record.time) + " ";
  return out + record.text + "\n";
}

}  // namespace devstack
