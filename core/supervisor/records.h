#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/process/child.h"

namespace devstack::supervisor {

/// What finds a host process again after the supervisor's own death.
struct ProcessRecord {
  process::Identity identity;
  std::uint16_t port = 0;  ///< $PORT; kept when the process has ended, so that it gets the same again
  std::string config_hash;
  std::string marker;            ///< NAME=VALUE in its environment and in that of all that it starts
  bool ready = false;            ///< it was: taken back, it need not show so again
  std::uint64_t log_offset = 0;  ///< where its output begins in its log file

  friend bool operator==(const ProcessRecord&, const ProcessRecord&) = default;
};

/// state_dir/processes.json: unit name -> record, rewritten atomically (new file, rename) at each change. A file that
/// cannot be read is taken as empty, and said so in the log. Loop thread; files are small.
class Records {
 public:
  explicit Records(std::string file);
  [[nodiscard]] const std::map<std::string, ProcessRecord>& all() const { return records_; }
  [[nodiscard]] std::optional<ProcessRecord> find(const std::string& unit) const;
  Result<void> put(const std::string& unit, ProcessRecord record);
  Result<void> erase(const std::string& unit);

 private:
  Result<void> save() const;
  std::string file_;
  std::map<std::string, ProcessRecord> records_;
};

}  // namespace devstack::supervisor
