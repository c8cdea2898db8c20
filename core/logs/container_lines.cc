#include "core/logs/container_lines.h"

#include <algorithm>
#include <utility>

namespace devstack::logs {
namespace {

constexpr auto kTime = std::string_view("2026-01-02T03:04:05.000000006Z").size();
/// The engine cuts a line there. https://github.com/moby/moby/blob/v20.10.24/daemon/logger/copier.go
constexpr std::size_t kPiece = 16U << 10U;
/// A line without end is cut, so that it cannot take all memory.
constexpr std::size_t kLongest = 64 * (kPiece + kTime + 1);

bool begins_with_time(std::string_view text) {
  return text.size() > kTime && text[kTime] == ' ' && parse_time(text.substr(0, kTime));
}

std::string joined_pieces(std::string_view text) {
  std::string out;
  while (text.size() > kPiece) {
    out += text.substr(0, kPiece);
    text.remove_prefix(kPiece);
    if (!begins_with_time(text)) break;
    text.remove_prefix(kTime + 1);
  }
  out += text;
  return out;
}

}  // namespace

std::string ContainerLines::origin(const std::string& container, Stream stream) {
  return stream == Stream::out ? container : container + " stderr";
}

std::int64_t ContainerLines::since(const Positions& behind) {
  // Far more than the two may be apart, and little to read again.
  constexpr std::int64_t apart = 10'000'000'000;
  const auto at = [](const auto& position) { return position ? position->at : 0; };
  const auto earlier = std::min(at(behind[0]), at(behind[1]));
  const auto later = std::max(at(behind[0]), at(behind[1]));
  return std::max({earlier, later - apart, std::int64_t{0}});
}

ContainerLines::ContainerLines(const std::string& container, Positions behind)
    : from_{origin(container, Stream::out), origin(container, Stream::err)}, behind_(behind) {}

void ContainerLines::take_line(Stream stream, std::string_view line, std::vector<KeptLog::Entry>& out) {
  const auto which = static_cast<std::size_t>(stream);
  const auto& behind = behind_[which];
  const auto time = parse_time(line.substr(0, std::min(line.size(), kTime)));
  const std::int64_t at = time.value_or(behind ? behind->at : 0);
  if (time) line.remove_prefix(std::min(line.size(), kTime + 1));
  if (behind && time) {
    if (at < behind->at) return;
    if (at == behind->at && ++seen_[which] <= behind->lines) return;
  }
  if (line.ends_with('\r')) line.remove_suffix(1);
  out.push_back({Record{at, {}, stream, valid_utf8(joined_pieces(line))}, Origin{from_[which], at}});
}

std::vector<KeptLog::Entry> ContainerLines::add(Stream stream, std::string_view bytes) {
  std::vector<KeptLog::Entry> out;
  auto& rest = rest_[static_cast<std::size_t>(stream)];
  // An entry behind what has no newline, and is no full piece of a long line: the program ended there, and began again.
  if (!rest.empty() && begins_with_time(bytes) && rest.size() % (kTime + 1 + kPiece) != 0) {
    take_line(stream, std::exchange(rest, {}), out);
  }
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
