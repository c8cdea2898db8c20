#include "core/logs/kept_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/logs/lines.h"

namespace devstack::logs {
namespace {

constexpr std::string_view kEnding = ".jsonl";
constexpr std::size_t kFiles = KeptLog::Limits().files;

Error io_error(const std::string& path) {
  return Error{Errc::io, fmt::format("cannot keep the log {}: {}", path, std::strerror(errno))};
}

std::vector<std::string> paths(const std::string& dir, const std::string& unit, std::size_t files) {
  std::vector<std::string> out{fmt::format("{}/{}{}", dir, unit, kEnding)};
  for (std::size_t i = 1; i < files; ++i) out.push_back(fmt::format("{}.{}", out.front(), i));
  return out;
}

/// A line that a crash of the machine cut in the middle is read again from where it came.
Result<std::int64_t> cut_torn_line(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return tl::unexpected(io_error(path));
  std::int64_t end = info.st_size;
  char last = '\n';
  while (end > 0 && ::pread(fd, &last, 1, end - 1) == 1 && last != '\n') --end;
  if (end != info.st_size && ::ftruncate(fd, end) != 0) return tl::unexpected(io_error(path));
  return end;
}

}  // namespace

std::vector<std::string> kept_paths(const std::string& dir, const std::string& unit) {
  return paths(dir, unit, kFiles);
}

std::vector<std::string> kept_units(const std::string& dir) {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(dir, error)) {
    const auto name = file.path().filename().string();
    if (name.ends_with(kEnding)) out.push_back(name.substr(0, name.size() - kEnding.size()));
  }
  std::sort(out.begin(), out.end());
  return out;
}

KeptLog::KeptLog(const std::string& dir, const std::string& unit, Limits limits)
    : paths_(paths(dir, unit, limits.files)), limits_(limits) {}

KeptLog::~KeptLog() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> KeptLog::open() {
  if (fd_ >= 0) return {};
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(paths_.front()).parent_path(), ignored);
  const int fd = ::open(paths_.front().c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return tl::unexpected(io_error(paths_.front()));
  const auto size = cut_torn_line(fd, paths_.front());
  if (!size) {
    ::close(fd);
    return tl::unexpected(size.error());
  }
  fd_ = fd;
  size_ = *size;
  return {};
}

Result<void> KeptLog::rotate() {
  for (std::size_t i = paths_.size(); i-- > 1;) {
    if (::rename(paths_[i - 1].c_str(), paths_[i].c_str()) != 0 && errno != ENOENT) {
      return tl::unexpected(io_error(paths_[i]));
    }
  }
  ::close(fd_);
  fd_ = -1;
  return open();
}

std::optional<KeptLog::Position> KeptLog::find(const std::string& from) const {
  std::optional<Position> found;
  for (const auto& path : paths_) {
    LinesBackward backward(path);
    while (const auto line = backward.next()) {
      const auto origin = origin_of(*line);
      if (!origin || origin->from != from) continue;
      if (found && origin->at != found->at) return found;
      if (!found) found.emplace(Position{origin->at, 0});
      ++found->lines;
    }
  }
  return found;
}

std::optional<KeptLog::Position> KeptLog::position(const std::string& from) {
  const auto known = positions_.find(from);
  if (known != positions_.end()) return known->second;
  return positions_[from] = find(from);
}

Result<void> KeptLog::append(const std::vector<Entry>& entries) {
  if (entries.empty()) return {};
  CHECK(open());
  std::string batch;
  for (const auto& entry : entries) batch += kept_line(entry.record, entry.origin);
  if (size_ > 0 && size_ + static_cast<std::int64_t>(batch.size()) > limits_.file_bytes) CHECK(rotate());
  std::size_t written = 0;
  while (written < batch.size()) {
    const auto n = ::write(fd_, batch.data() + written, batch.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      auto error = io_error(paths_.front());
      [[maybe_unused]] const int cut = ::ftruncate(fd_, size_);
      return tl::unexpected(std::move(error));
    }
    written += static_cast<std::size_t>(n);
  }
  size_ += static_cast<std::int64_t>(batch.size());
  for (const auto& entry : entries) {
    auto& position = positions_[entry.origin.from];
    if (!position || position->at != entry.origin.at) position = Position{entry.origin.at, 0};
    ++position->lines;
  }
  return {};
}

}  // namespace devstack::logs
