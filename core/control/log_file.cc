#include "core/control/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace devstack::control {
namespace {

constexpr std::size_t kBlock = 64U << 10U;
constexpr std::int64_t kLargestTail = 16LL << 20;

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

/// Where the last `lines` matching lines of `text` begin, and whether there were that many.
std::pair<std::size_t, bool> start_of_tail(std::string_view text, const std::string& filter, int lines) {
  std::size_t end = text.size();
  if (end > 0 && text[end - 1] == '\n') --end;
  std::size_t best = text.size();
  for (int found = 0; found < lines;) {
    const auto newline = end == 0 ? std::string_view::npos : text.rfind('\n', end - 1);
    const auto begin = newline == std::string_view::npos ? 0 : newline + 1;
    if (filter.empty() || text.substr(begin, end - begin).find(filter) != std::string_view::npos) {
      best = begin;
      ++found;
      // The first line of the window may have been cut in front.
      if (newline == std::string_view::npos) return {best, false};
    }
    if (newline == std::string_view::npos) return {best, false};
    end = newline;
  }
  return {best, true};
}

}  // namespace

LogFile::LogFile(std::string path, std::string filter) : path_(std::move(path)), filter_(std::move(filter)) {}
LogFile::~LogFile() { close(); }

bool LogFile::open() {
  if (fd_ >= 0) return true;
  fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (fd_ < 0 || ::fstat(fd_, &info) != 0) return false;
  inode_ = info.st_ino;
  offset_ = 0;
  return true;
}

void LogFile::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool LogFile::replaced() const {
  struct stat info {};
  if (::stat(path_.c_str(), &info) != 0) return false;
  return info.st_ino != inode_ || info.st_size < offset_;
}

void LogFile::seek_tail(int lines) {
  if (!open() || lines < 0) return;
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return;
  const std::int64_t size = info.st_size;
  for (auto window = static_cast<std::int64_t>(kBlock);; window *= 4) {
    const auto begin = std::max<std::int64_t>(0, size - std::min(window, kLargestTail));
    const auto text = read_at(fd_, begin, static_cast<std::size_t>(size - begin));
    const auto [start, complete] = start_of_tail(text, filter_, lines);
    if (complete || begin == 0 || window >= kLargestTail) {
      offset_ = begin + static_cast<std::int64_t>(start);
      return;
    }
  }
}

std::vector<std::string> LogFile::read_lines() {
  std::vector<std::string> out;
  if (!open()) return out;
  for (;;) {
    const auto block = read_at(fd_, offset_, kBlock);
    if (block.empty()) {
      if (!replaced()) return out;
      close();
      partial_.clear();
      if (!open()) return out;
      continue;
    }
    offset_ += static_cast<std::int64_t>(block.size());
    LineSplitter splitter;
    auto lines = splitter.add(std::exchange(partial_, {}) + block);
    partial_ = splitter.take_rest();
    for (auto& line : lines) {
      if (filter_.empty() || line.find(filter_) != std::string::npos) out.push_back(std::move(line));
    }
    if (!out.empty()) return out;
  }
}

std::string LogFile::take_partial() {
  auto partial = std::exchange(partial_, {});
  return filter_.empty() || partial.find(filter_) != std::string::npos ? partial : std::string();
}

std::vector<std::string> LineSplitter::add(std::string_view bytes) {
  std::vector<std::string> out;
  while (!bytes.empty()) {
    const auto newline = bytes.find('\n');
    const auto room = kLongestLine - rest_.size();
    const auto taken = std::min({newline, bytes.size(), room});
    rest_ += bytes.substr(0, taken);
    bytes.remove_prefix(taken);
    const bool ended = !bytes.empty() && bytes.front() == '\n';
    if (ended) bytes.remove_prefix(1);
    if (!ended && rest_.size() < kLongestLine) break;
    if (!rest_.empty() && rest_.back() == '\r') rest_.pop_back();
    out.push_back(std::exchange(rest_, {}));
  }
  return out;
}

std::string LineSplitter::take_rest() { return std::exchange(rest_, {}); }

}  // namespace devstack::control
