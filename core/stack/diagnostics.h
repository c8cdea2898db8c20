#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"

/// Everything wrong or doubtful with one file, gathered so that the user sees all of it at once. Private to the room.
namespace devstack::stack {

class Diagnostics {
 public:
  template <class... Args>
  void error(SourcePos at, fmt::format_string<Args...> text, Args&&... args) {
    errors_.push_back({std::move(at), fmt::format(text, std::forward<Args>(args)...)});
  }
  template <class... Args>
  void warn(SourcePos at, fmt::format_string<Args...> text, Args&&... args) {
    warnings_.push_back({std::move(at), fmt::format(text, std::forward<Args>(args)...)});
  }
  [[nodiscard]] bool failed() const { return !errors_.empty(); }
  /// All errors as one, in the order of the file, a line each.
  [[nodiscard]] Error error() const;
  /// "stack.yaml:1:1: …", in the order of the file.
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  struct Entry {
    SourcePos at;
    std::string text;
  };
  static std::vector<Entry> sorted(std::vector<Entry> entries);
  std::vector<Entry> errors_, warnings_;
};

}  // namespace devstack::stack
