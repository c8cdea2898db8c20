#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/logs/lines.h"
#include "core/logs/record.h"

namespace devstack::logs {

/// Which records a reader wants.
struct Choice {
  int tail = -1;  ///< the last so many of each unit; negative: all
  std::optional<std::int64_t> since = std::nullopt, until = std::nullopt;
};

/// Reads kept logs of several units as one, ordered by time. Reads when asked, never waits; what it holds is bounded.
/// One thread.
class LogReader {
 public:
  explicit LogReader(Choice choice) : choice_(choice) {}

  /// The kept log of a unit; it may come later. A second time is no second source.
  void add_unit(const std::string& dir, const std::string& unit);
  /// devstack's own log as records: the lines of one component, or of all under the name "devstack" for "".
  void add_supervisor(const std::string& log_file, const std::string& component);
  /// The next records, at most some hundred KiB of them; empty when there are no more now.
  std::vector<Record> read();

 private:
  using Parse = std::function<std::optional<Record>(std::string_view)>;
  struct Source {
    std::string name;
    std::unique_ptr<RotatedLines> lines;
    Parse parse;
    std::deque<Record> waiting;
  };
  void add(std::string name, std::vector<std::string> files, Parse parse);
  void keep_last(Source& source) const;
  bool fill(Source& source) const;
  [[nodiscard]] bool wanted(const Record& record) const;

  Choice choice_;
  std::vector<Source> sources_;
};

/// A line of devstack's own log ("2026-01-02T03:04:05.678+00:00 info  [dns] text"); nothing for a line of another
/// component than `component` ("" = any), or of none.
std::optional<Record> parse_supervisor_line(std::string_view line, std::string_view component);

}  // namespace devstack::logs
