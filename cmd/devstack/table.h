#pragma once

#include <string>
#include <vector>

namespace devstack {

/// Columns under a dimmed head, two spaces apart, as wide as their widest cell. Pure.
class Table {
 public:
  struct Cell {
    std::string plain;       ///< what its width is counted from
    std::string shown = {};  ///< with colours; empty: as plain
  };
  explicit Table(std::vector<std::string> head);
  /// `below`: whole lines after the row.
  void add(std::vector<Cell> row, std::string below = {});
  [[nodiscard]] std::string text() const;

 private:
  struct Row {
    std::vector<Cell> cells;
    std::string below;
  };
  std::vector<std::string> head_;
  std::vector<Row> rows_;
};

}  // namespace devstack
