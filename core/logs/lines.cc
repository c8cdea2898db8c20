#include "core/logs/lines.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace devstack::logs {
namespace {

constexpr std::size_t kBlock = 64U << 10U;

std::string read_at(int fd, std::int64_t offset, std::size_t bytes) {
  std::string out(bytes, '\0');
  std::size_t got = 0;
  while (got < bytes) {
    const auto n = ::pread(fd, out.data() + got, bytes - got, offset + static_cast<std::int64_t>(got));
    if (n <= 0) break;
    got += static_cast<std::size_t>(n);
  }
  out.resize(got);
  return out;
}

std::uint64_t inode_of(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

}  // namespace

std::vector<LineSplitter::Line> LineSplitter::add(std::string_view bytes) {
  std::vector<Line> out;
  while (!bytes.empty()) {
    const auto newline = bytes.find('\n');
    const auto room = kLongestLine - rest_.size();
    const auto taken = std::min({newline, bytes.size(), room});
    rest_ += bytes.substr(0, taken);
    bytes.remove_prefix(taken);
    const bool ended = !bytes.empty() && bytes.front() == '\n';
    if (ended) bytes.remove_prefix(1);
    if (!ended && rest_.size() < kLongestLine) break;
    const auto size = rest_.size() + (ended ? 1 : 0);
    if (ended && !rest_.empty() && rest_.back() == '\r') rest_.pop_back();
    out.push_back({std::exchange(rest_, {}), size});
  }
  return out;
}

std::string LineSplitter::take_rest() { return std::exchange(rest_, {}); }

LinesBackward::LinesBackward(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat info {};
  if (fd_ >= 0 && ::fstat(fd_, &info) == 0) begin_ = info.st_size;
  // What stands behind the last newline is not complete.
  while (text_.find('\n') == std::string::npos && load_more()) {
  }
  const auto end = text_.rfind('\n');
  text_.resize(end == std::string::npos ? 0 : end + 1);
}

LinesBackward::~LinesBackward() {
  if (fd_ >= 0) ::close(fd_);
}

bool LinesBackward::load_more() {
  if (begin_ == 0) return false;
  const auto from = std::max<std::int64_t>(0, begin_ - static_cast<std::int64_t>(kBlock));
  text_.insert(0, read_at(fd_, from, static_cast<std::size_t>(begin_ - from)));
  begin_ = from;
  return true;
}

std::optional<std::string> LinesBackward::next() {
  const auto start_of_last = [this] {
    if (text_.size() < 2) return std::string::npos;
    return text_.rfind('\n', text_.size() - 2);
  };
  auto before = start_of_last();
  while (before == std::string::npos && load_more()) before = start_of_last();
  if (text_.empty()) return std::nullopt;
  const auto start = before == std::string::npos ? 0 : before + 1;
  auto line = text_.substr(start, text_.size() - start - 1);
  text_.resize(start);
  place_ = begin_ + static_cast<std::int64_t>(start);
  return line;
}

RotatedLines::RotatedLines(std::vector<std::string> newest_first) : paths_(std::move(newest_first)) {}
RotatedLines::~RotatedLines() { close(); }

bool RotatedLines::open(const std::string& path, std::int64_t offset) {
  close();
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (fd_ < 0 || ::fstat(fd_, &info) != 0) return false;
  inode_ = info.st_ino;
  offset_ = offset;
  partial_.clear();
  return true;
}

void RotatedLines::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void RotatedLines::seek_tail(int lines, const std::function<bool(std::string_view)>& counts) {
  if (lines < 0) return;  // the first read() opens the oldest
  int found = 0;
  for (const auto& path : paths_) {
    LinesBackward backward(path);
    std::optional<std::string> line;
    while (found < lines && (line = backward.next())) {
      if (counts(*line)) ++found;
    }
    if (found < lines) continue;
    struct stat info {};
    const bool whole = lines == 0 && ::stat(path.c_str(), &info) == 0;
    open(path, whole ? info.st_size : backward.place());
    return;
  }
}

/// The file that was written after the one that is open; false when that is the newest.
bool RotatedLines::open_next() {
  std::size_t place = paths_.size();
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    if (fd_ >= 0 && inode_of(paths_[i]) == inode_) place = i;
  }
  struct stat info {};
  const bool known = fd_ >= 0 && ::fstat(fd_, &info) == 0;
  if (known && info.st_size > offset_) return true;  // written between the look for more and the rotation
  if (place == 0) return known && info.st_size < offset_ && open(paths_[0], 0);  // it was cut
  while (place-- > 0) {
    if (inode_of(paths_[place]) != 0) return open(paths_[place], 0);
  }
  return false;
}

std::vector<std::string> RotatedLines::read() {
  std::vector<std::string> out;
  if (fd_ < 0 && !open_next()) return out;
  for (;;) {
    const auto block = read_at(fd_, offset_, kBlock);
    if (block.empty()) {
      if (!open_next()) return out;
      continue;
    }
    offset_ += static_cast<std::int64_t>(block.size());
    partial_ += block;
    std::size_t begin = 0;
    for (auto end = partial_.find('\n'); end != std::string::npos; end = partial_.find('\n', begin)) {
      out.push_back(partial_.substr(begin, end - begin));
      begin = end + 1;
    }
    partial_.erase(0, begin);
    if (!out.empty()) return out;
  }
}

}  // namespace devstack::logs
