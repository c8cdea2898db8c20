#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/logs/kept_log.h"
#include "core/logs/record.h"

namespace devstack::logs {

/// Takes apart what the engine gives of a container's log with `timestamps=1`: "2026-01-02T03:04:05.000000006Z text" a
/// line, and long lines in pieces of 16 KiB, each with a time of its own. Lines that `behind` says are kept already are
/// left out: the engine's `since` gives those of that very moment again. Pure.
class ContainerLines {
 public:
  ContainerLines(std::string from, std::optional<KeptLog::Position> behind);
  std::vector<KeptLog::Entry> add(Stream stream, std::string_view bytes);
  /// What was written without a newline, once there will be no more.
  std::vector<KeptLog::Entry> take_rest();

 private:
  void take_line(Stream stream, std::string_view line, std::vector<KeptLog::Entry>& out);
  std::string from_;
  std::optional<KeptLog::Position> behind_;
  std::size_t seen_ = 0;  ///< lines of the moment of `behind_`
  std::array<std::string, 2> rest_;
};

}  // namespace devstack::logs
