#include "core/stack/diagnostics.h"

#include <algorithm>
#include <tuple>

namespace devstack::stack {

std::size_t Diagnostics::rank(const Entry& entry) const {
  if (entry.at.file.empty()) return 0;
  return 1 + static_cast<std::size_t>(std::find(files_.begin(), files_.end(), entry.at.file) - files_.begin());
}

std::vector<Diagnostics::Entry> Diagnostics::sorted(std::vector<Entry> entries) const {
  std::stable_sort(entries.begin(), entries.end(), [this](const Entry& a, const Entry& b) {
    return std::tuple(rank(a), a.at.line, a.at.column) < std::tuple(rank(b), b.at.line, b.at.column);
  });
  return entries;
}

Error Diagnostics::error() const {
  const auto entries = sorted(errors_);
  // The first line's position is the Error's own; Error::to_string() puts it in front.
  Error all{Errc::stack_file, entries.front().text, entries.front().at};
  for (std::size_t i = 1; i < entries.size(); ++i) {
    all.message += '\n' + Error{Errc::stack_file, entries[i].text, entries[i].at}.to_string();
  }
  return all;
}

std::vector<std::string> Diagnostics::warnings() const {
  std::vector<std::string> lines;
  for (const auto& entry : sorted(warnings_))
    lines.push_back(Error{Errc::stack_file, entry.text, entry.at}.to_string());
  return lines;
}

}  // namespace devstack::stack
