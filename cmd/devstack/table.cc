#include "cmd/devstack/table.h"

#include <algorithm>

#include "cmd/devstack/terminal.h"

namespace devstack {
namespace {

/// Code points: near enough to columns for names and addresses.
std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

}  // namespace

Table::Table(std::vector<std::string> head) : head_(std::move(head)) {}

void Table::add(std::vector<Cell> row, std::string below) { rows_.push_back({std::move(row), std::move(below)}); }

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (const auto& name : head_) widths.push_back(columns(name));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.cells.size(); ++i) widths[i] = std::max(widths[i], columns(row.cells[i].plain));
  }
  const auto pad = [&widths](std::size_t i, const std::string& plain) {
    return i + 1 == widths.size() ? std::string() : std::string(widths[i] + 2 - columns(plain), ' ');
  };
  std::string head;
  for (std::size_t i = 0; i < head_.size(); ++i) head += head_[i] + pad(i, head_[i]);
  std::string out = terminal::dim(head) + "\n";
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const auto& cell = row.cells[i];
      out += (cell.shown.empty() ? cell.plain : cell.shown) + pad(i, cell.plain);
    }
    out += "\n" + row.below;
  }
  return out;
}

}  // namespace devstack
