#pragma once

#include <string>

namespace devstack {

/// Where in a user's file something stands. Lines and columns count from 1; 0 means "not known".
struct SourcePos {
  std::string file;
  int line = 0;
  int column = 0;

  /// "stack.yaml:12:7", or as much of it as is known.
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const SourcePos&, const SourcePos&) = default;
};

}  // namespace devstack
