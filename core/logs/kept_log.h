#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/logs/record.h"

namespace devstack::logs {

/// Where the kept log of a unit is, "DIR/UNIT.jsonl", and what was rotated away from it, the newest first.
std::vector<std::string> kept_paths(const std::string& dir, const std::string& unit);
/// The units that have a kept log in `dir`.
std::vector<std::string> kept_units(const std::string& dir);

/// The lines of one unit on disk, rotated by size. A batch is written whole or not at all, and says itself where it
/// came from: whoever goes on after a crash loses no line and doubles none. One thread.
class KeptLog {
 public:
  struct Limits {
    std::int64_t file_bytes = 10LL << 20;
    std::size_t files = 3;
  };
  struct Entry {
    Record record;
    Origin origin;
  };
  /// How far what came from one place was read.
  struct Position {
    std::int64_t at = 0;
    std::size_t lines = 0;  ///< the last lines that have this `at`
  };

  KeptLog(const std::string& dir, const std::string& unit, Limits limits);
  ~KeptLog();
  KeptLog(const KeptLog&) = delete;
  KeptLog& operator=(const KeptLog&) = delete;

  /// Nothing when no line from there is kept.
  std::optional<Position> position(const std::string& from);
  Result<void> append(const std::vector<Entry>& entries);

 private:
  Result<void> open();
  Result<void> rotate();
  std::optional<Position> find(const std::string& from) const;

  std::vector<std::string> paths_;  ///< the newest first
  Limits limits_;
  int fd_ = -1;
  std::int64_t size_ = 0;
  std::map<std::string, std::optional<Position>> positions_;
};

}  // namespace devstack::logs
