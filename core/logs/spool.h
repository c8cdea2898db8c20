#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/logs/kept_log.h"

namespace devstack::logs {

/// Reads the file that a process appends its output to, from where the kept log says it was read to. One thread.
class Spool {
 public:
  Spool(std::string path, std::int64_t at);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  static constexpr std::string_view kOrigin = "file";
  enum class Rest { wait, take };
  /// The lines that came since the last call, about 64 KiB of them; empty when there are no more now. `rest`: whether a
  /// line without its newline is one (nobody writes any more) or waited for.
  std::vector<KeptLog::Entry> read(Rest rest);
  /// Where the last read ended was not kept: go back there.
  void back_to(std::int64_t at);
  /// What stands before `at` is not needed any more. The file keeps its length, so that a writer that appends is never
  /// cut: its blocks go back to the disk.
  void give_back(std::int64_t at);

 private:
  bool open();
  std::string path_;
  int fd_ = -1;
  std::int64_t read_to_ = 0;  ///< complete lines
  std::int64_t given_back_ = 0;
};

}  // namespace devstack::logs
