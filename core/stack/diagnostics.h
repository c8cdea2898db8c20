#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"

/// Everything wrong or doubtful with the files of a stack, gathered so that the user sees all of it at once. Private to
/// the room.
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
  /// What a room's function found; its position counts.
  void add(Error error) { errors_.push_back({error.at.value_or(SourcePos{}), std::move(error.message)}); }
  /// What is said of this file stands after what is said of those before it.
  void begin_file(std::string shown) { files_.push_back(std::move(shown)); }
  [[nodiscard]] bool failed() const { return !errors_.empty(); }
  /// All errors as one, in the order of the files, a line each.
  [[nodiscard]] Error error() const;
  /// "stack.yaml:1:1: …", in the order of the files.
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  struct Entry {
    SourcePos at;
    std::string text;
  };
  [[nodiscard]] std::size_t rank(const Entry& entry) const;
  [[nodiscard]] std::vector<Entry> sorted(std::vector<Entry> entries) const;
  std::vector<Entry> errors_, warnings_;
  std::vector<std::string> files_;
};

}  // namespace devstack::stack
