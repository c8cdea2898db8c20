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
/// line, and long lines in pieces of 16 KiB, each with a time of its own. Lines that are kept already are left
/// out, each stream by itself: the engine stamps and writes the two of them side by side, so that only within one do
/// times never go back. Pure.
class ContainerLines {
 public:
  /// How far each stream was kept before: stdout, stderr.
  using Positions = std::array<std::optional<KeptLog::Position>, 2>;
  /// What the lines of a stream are kept as coming from.
  static std::string origin(const std::string& container, Stream stream);
  /// From when on the engine is to give lines again: what both streams may still have to tell is behind it.
  static std::int64_t since(const Positions& behind);

  ContainerLines(const std::string& container, Positions behind);
  std::vector<KeptLog::Entry> add(Stream stream, std::string_view bytes);
  /// What was written without a newline, once there will be no more.
  std::vector<KeptLog::Entry> take_rest();

 private:
  void take_line(Stream stream, std::string_view line, std::vector<KeptLog::Entry>& out);
  std::array<std::string, 2> from_;
  Positions behind_;
  std::array<std::size_t, 2> seen_{};  ///< lines of the moment of `behind_`
  std::array<std::string, 2> rest_;
};

}  // namespace devstack::logs
