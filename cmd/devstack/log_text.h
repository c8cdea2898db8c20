#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/logs/record.h"

/// Kept lines as `devstack logs` prints them. Main thread.
namespace devstack {

struct LogStyle {
  bool prefix = true;  ///< `name | ` before each line
  bool timestamps = false;
  bool json = false;  ///< an object a line instead of all that
};

class LogPrinter {
 public:
  /// `names`: whose lines are to be expected, so that all names take the same width from the beginning.
  LogPrinter(LogStyle style, const std::vector<std::string>& names);
  std::string text(const logs::Record& record);

 private:
  const std::string& prefix_of(const std::string& unit);

  LogStyle style_;
  std::size_t width_ = 0;
  std::map<std::string, std::string> prefixes_;
};

}  // namespace devstack
