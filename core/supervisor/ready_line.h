#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace re2 {
class RE2;
}

namespace devstack::supervisor {

/// Looks in a process's log for the line that says that it is ready: `ready_log_line`, an RE2 expression that matches
/// anywhere in a line. One thread.
class ReadyLine {
 public:
  /// Errc::invalid_argument with RE2's reason.
  static Result<ReadyLine> make(const std::string& expression);
  ReadyLine(ReadyLine&&) noexcept;
  ReadyLine& operator=(ReadyLine&&) noexcept;
  ~ReadyLine();

  /// Takes the next bytes of the log; true once a line that they complete has matched.
  bool add(std::string_view bytes);
  /// Reads what `file` has beyond `offset`, at most a MiB, and moves it; a file that was cut is read from its
  /// beginning.
  bool read(const std::string& file, std::uint64_t& offset);

 private:
  explicit ReadyLine(std::unique_ptr<re2::RE2> expression);
  [[nodiscard]] bool matches(std::string_view line) const;

  std::unique_ptr<re2::RE2> expression_;
  std::string rest_;  ///< a line that has no end yet; of a very long one its beginning
};

}  // namespace devstack::supervisor
