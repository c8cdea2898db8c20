#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace devstack::control {

/// The lines of a log file that somebody else appends to and may rotate. Reads when asked, never waits; a file that
/// does not exist (yet) reads as empty. One thread.
class LogFile {
 public:
  /// Only lines that contain `filter` count; "" for all.
  explicit LogFile(std::string path, std::string filter = {});
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  /// Goes to the last `lines` lines; negative: to the beginning. Looks at no more than the last 16 MiB.
  void seek_tail(int lines);
  /// Complete lines from here on, without their newline, about 64 KiB at a time; empty when there are no more now. A
  /// file that was replaced or cut is read from its beginning.
  std::vector<std::string> read_lines();
  /// What stands after the last newline: a line whose writer has not finished it.
  std::string take_partial();

 private:
  bool open();
  void close();
  [[nodiscard]] bool replaced() const;

  std::string path_;
  std::string filter_;
  int fd_ = -1;
  std::uint64_t inode_ = 0;
  std::int64_t offset_ = 0;
  std::string partial_;
};

/// Cuts a stream of bytes into lines; a line over `kLongestLine` bytes is cut there.
class LineSplitter {
 public:
  static constexpr std::size_t kLongestLine = 64U << 10U;
  /// The lines that `bytes` completes, without "\n" or "\r\n".
  std::vector<std::string> add(std::string_view bytes);
  /// The unfinished rest.
  std::string take_rest();

 private:
  std::string rest_;
};

}  // namespace devstack::control
