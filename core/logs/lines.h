#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Lines of text: out of a stream of bytes, and out of log files that somebody else appends to and rotates.
namespace devstack::logs {

/// Cuts a stream of bytes into lines; a line over `kLongestLine` bytes is cut there.
class LineSplitter {
 public:
  static constexpr std::size_t kLongestLine = 64U << 10U;
  struct Line {
    std::string text;       ///< without "\n" or "\r\n"
    std::size_t bytes = 0;  ///< that it took in the stream
  };
  /// The lines that `bytes` completes.
  std::vector<Line> add(std::string_view bytes);
  /// The unfinished rest.
  std::string take_rest();

 private:
  std::string rest_;
};

/// The complete lines of a file from its last to its first. A file that is not there has none.
class LinesBackward {
 public:
  explicit LinesBackward(const std::string& path);
  ~LinesBackward();
  LinesBackward(const LinesBackward&) = delete;
  LinesBackward& operator=(const LinesBackward&) = delete;

  std::optional<std::string> next();
  /// Where the line that next() gave begins.
  [[nodiscard]] std::int64_t place() const { return place_; }

 private:
  bool load_more();
  int fd_ = -1;
  std::int64_t begin_ = 0;  ///< of what is loaded, in the file
  std::int64_t place_ = 0;
  std::string text_;  ///< loaded and not yet given
};

/// Reads the lines of rotated files in the order in which they were written, and goes on with what comes. Reads when
/// asked, never waits. One thread.
class RotatedLines {
 public:
  /// "web.jsonl", "web.jsonl.1" …, the newest first.
  explicit RotatedLines(std::vector<std::string> newest_first);
  ~RotatedLines();
  RotatedLines(const RotatedLines&) = delete;
  RotatedLines& operator=(const RotatedLines&) = delete;

  /// Goes to the last `lines` lines that `counts` says yes to; negative: to the first of all.
  void seek_tail(int lines, const std::function<bool(std::string_view)>& counts);
  /// Complete lines from here on, about 64 KiB at a time; empty when there are no more now.
  std::vector<std::string> read();

 private:
  bool open(const std::string& path, std::int64_t offset);
  bool open_next();
  void close();

  std::vector<std::string> paths_;
  int fd_ = -1;
  std::uint64_t inode_ = 0;
  std::int64_t offset_ = 0;
  std::string partial_;
};

}  // namespace devstack::logs
