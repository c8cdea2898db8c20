#include "core/logs/spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/logs/lines.h"

namespace devstack::logs {
namespace {

constexpr std::size_t kBlock = 64U << 10U;
constexpr std::int64_t kWorthGivingBack = 1LL << 20;
constexpr std::int64_t kPage = 4096;

}  // namespace

Spool::Spool(std::string path, std::int64_t at) : path_(std::move(path)), read_to_(at) {}

Spool::~Spool() {
  if (fd_ >= 0) ::close(fd_);
}

bool Spool::open() {
  if (fd_ < 0) fd_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
  struct stat info {};
  if (fd_ < 0 || ::fstat(fd_, &info) != 0) return false;
  if (info.st_size < read_to_) read_to_ = given_back_ = 0;  // somebody emptied it
  return true;
}

void Spool::back_to(std::int64_t at) { read_to_ = at; }

std::vector<KeptLog::Entry> Spool::read(Rest rest) {
  std::vector<KeptLog::Entry> out;
  if (!open()) return out;
  std::string block(kBlock, '\0');
  const auto got = ::pread(fd_, block.data(), block.size(), read_to_);
  if (got <= 0) return out;
  block.resize(static_cast<std::size_t>(got));
  const auto when = now();
  const auto take = [&](const std::string& text, std::size_t bytes) {
    read_to_ += static_cast<std::int64_t>(bytes);
    out.push_back({Record{when, {}, Stream::out, valid_utf8(text)}, Origin{std::string(kOrigin), read_to_}});
  };
  LineSplitter splitter;
  for (const auto& line : splitter.add(block)) take(line.text, line.bytes);
  const auto unfinished = splitter.take_rest();
  if (out.empty() && rest == Rest::take && !unfinished.empty()) take(unfinished, unfinished.size());
  return out;
}

void Spool::give_back(std::int64_t at) {
  const auto end = at / kPage * kPage;
  if (fd_ < 0 || end - given_back_ < kWorthGivingBack) return;
  // Where the file system cannot, the file just stays long.
  (void)::fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, given_back_, end - given_back_);
  given_back_ = end;
}

}  // namespace devstack::logs
