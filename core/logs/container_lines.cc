#include "core/logs/container_lines.h"

#include <utility>

namespace devstack::logs {
namespace {

constexpr auto kTime = std::string_view("2026-01-02T03:04:05.000000006Z").size();
/// The engine cuts a line there. https://github.com/moby/moby/blob/v20.10.24/daemon/logger/copier.go
constexpr std::size_t kPiece = 16U << 10U;
/// A line without end is cut, so that it cannot take all memory.
constexpr std::size_t kLongest = 64 * (kPiece + kTime + 1);

std::string joined_pieces(std::string_view text) {
  std::string out;
  while (text.size() > kPiece) {
    out += text.substr(0, kPiece);
    text.remove_prefix(kPiece);
    const bool timed = text.size() > kTime && text[kTime] == ' ' && parse_time(text.substr(0, kTime));
    if (!timed) break;
    text.remove_prefix(kTime + 1);
  }
  out += text;
  return out;
}

}  // namespace

ContainerLines::ContainerLines(std::string from, std::optional<KeptLog::Position> behind)
    : from_(std::move(from)), behind_(behind) {}

void ContainerLines::take_line(Stream stream, std::string_view line, std::vector<KeptLog::Entry>& out) {
  const auto time = parse_time(line.substr(0, std::min(line.size(), kTime)));
  const std::int64_t at = time.value_or(behind_ ? behind_->at : 0);
  if (time) line.remove_prefix(std::min(line.size(), kTime + 1));
  if (behind_ && time) {
    if (at < behind_->at) return;
    if (at == behind_->at && ++seen_ <= behind_->lines) return;
  }
  if (line.ends_with('\r')) line.remove_suffix(1);
  out.push_back({Record{at, {}, stream, valid_utf8(joined_pieces(line))}, Origin{from_, at}});
}

std::vector<KeptLog::Entry> ContainerLines::add(Stream stream, std::string_view bytes) {
  std::vector<KeptLog::Entry> out;
  auto& rest = rest_[static_cast<std::size_t>(stream)];
  for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    rest += bytes.substr(0, end);
    take_line(stream, std::exchange(rest, {}), out);
    bytes.remove_prefix(end + 1);
  }
  rest += bytes;
  if (rest.size() > kLongest) take_line(stream, std::exchange(rest, {}), out);
  return out;
}

std::vector<KeptLog::Entry> ContainerLines::take_rest() {
  std::vector<KeptLog::Entry> out;
  for (const auto stream : {Stream::out, Stream::err}) {
    auto& rest = rest_[static_cast<std::size_t>(stream)];
    if (!rest.empty()) take_line(stream, std::exchange(rest, {}), out);
  }
  return out;
}

}  // namespace devstack::logs
