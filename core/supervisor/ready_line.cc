#include "core/supervisor/ready_line.h"

#include <re2/re2.h>

#include <filesystem>
#include <fstream>

namespace devstack::supervisor {
namespace {

constexpr std::size_t longest_line = 64U << 10U;
constexpr std::size_t block = 64U << 10U;
constexpr int blocks_at_once = 16;

}  // namespace

ReadyLine::ReadyLine(std::unique_ptr<re2::RE2> expression) : expression_(std::move(expression)) {}
ReadyLine::ReadyLine(ReadyLine&&) noexcept = default;
ReadyLine& ReadyLine::operator=(ReadyLine&&) noexcept = default;
ReadyLine::~ReadyLine() = default;

Result<ReadyLine> ReadyLine::make(const std::string& expression) {
  auto made = std::make_unique<re2::RE2>(expression, re2::RE2::Quiet);
  if (!made->ok()) return fail(Errc::invalid_argument, "ready_log_line \"{}\": {}", expression, made->error());
  return ReadyLine(std::move(made));
}

bool ReadyLine::matches(std::string_view line) const {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return re2::RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), *expression_);
}

bool ReadyLine::add(std::string_view bytes) {
  for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    std::string line = std::exchange(rest_, {});
    line += bytes.substr(0, end);
    if (matches(line)) return true;
    bytes.remove_prefix(end + 1);
  }
  if (rest_.size() < longest_line) rest_ += bytes.substr(0, longest_line - rest_.size());
  return false;
}

bool ReadyLine::read(const std::string& file, std::uint64_t& offset) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error || size == offset) return false;
  if (size < offset) offset = 0;
  std::ifstream in(file, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(offset));
  std::string bytes(block, '\0');
  for (int round = 0; round < blocks_at_once && in; ++round) {
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    const auto got = static_cast<std::size_t>(in.gcount());
    offset += got;
    if (add(std::string_view(bytes).substr(0, got))) return true;
  }
  return false;
}

}  // namespace devstack::supervisor
