#include "core/logs/reader.h"

#include <algorithm>
#include <filesystem>

#include "core/logs/kept_log.h"

namespace devstack::logs {
namespace {

constexpr std::size_t kBatchBytes = 256U << 10U;
constexpr std::size_t kSupervisorFiles = 4;

/// spdlog names what it rotates away "devstack.1.log".
std::vector<std::string> supervisor_files(const std::string& log_file) {
  const std::filesystem::path path(log_file);
  std::vector<std::string> out{log_file};
  for (std::size_t i = 1; i < kSupervisorFiles; ++i) {
    auto name = fmt::format("{}.{}{}", path.stem().string(), i, path.extension().string());
    out.push_back((path.parent_path() / name).string());
  }
  return out;
}

}  // namespace

std::optional<Record> parse_supervisor_line(std::string_view line, std::string_view component) {
  const auto space = line.find(' ');
  const auto time = parse_time(line.substr(0, std::min(space, line.size())));
  if (!time) return std::nullopt;
  const auto text = line.substr(space + 1);
  if (!component.empty() && text.find(fmt::format("[{}]", component)) == std::string_view::npos) return std::nullopt;
  return Record{*time, std::string(component.empty() ? "devstack" : component), Stream::err, valid_utf8(text)};
}

void LogReader::add_unit(const std::string& dir, const std::string& unit) {
  // Lines too old are known without taking them apart: a long log is skipped quickly.
  const auto first = choice_.since ? kept_line_start(*choice_.since) : std::string();
  add(unit, kept_paths(dir, unit), [unit, first](std::string_view line) {
    if (line < first) return std::optional<Record>();
    auto record = parse_record(line);
    if (record) record->unit = unit;
    return record;
  });
}

void LogReader::add_supervisor(const std::string& log_file, const std::string& component) {
  add(component.empty() ? "devstack" : component, supervisor_files(log_file),
      [component](std::string_view line) { return parse_supervisor_line(line, component); });
}

void LogReader::add(std::string name, std::vector<std::string> files, Parse parse) {
  const auto is_it = [&](const Source& source) { return source.name == name; };
  if (std::any_of(sources_.begin(), sources_.end(), is_it)) return;
  Source source{std::move(name), std::make_unique<RotatedLines>(std::move(files)), std::move(parse), {}};
  if (!choice_.until) {
    const auto counts = [&source](std::string_view line) { return source.parse(line).has_value(); };
    source.lines->seek_tail(choice_.tail, counts);
  } else if (choice_.tail >= 0) {
    keep_last(source);
  }
  sources_.push_back(std::move(source));
}

/// The last lines before `until`: only reading up to it tells which.
void LogReader::keep_last(Source& source) const {
  std::deque<Record> last;
  while (fill(source)) {
    std::move(source.waiting.begin(), source.waiting.end(), std::back_inserter(last));
    source.waiting.clear();
    while (last.size() > static_cast<std::size_t>(choice_.tail)) last.pop_front();
  }
  source.waiting = std::move(last);
}

bool LogReader::wanted(const Record& record) const {
  return (!choice_.since || record.time >= *choice_.since) && (!choice_.until || record.time <= *choice_.until);
}

/// Whether a record of the source waits now.
bool LogReader::fill(Source& source) const {
  while (source.waiting.empty()) {
    const auto lines = source.lines->read();
    if (lines.empty()) return false;
    for (const auto& line : lines) {
      auto record = source.parse(line);
      if (record && wanted(*record)) source.waiting.push_back(std::move(*record));
    }
  }
  return true;
}

std::vector<Record> LogReader::read() {
  std::vector<Record> out;
  std::size_t bytes = 0;
  std::vector<Source*> live;
  for (auto& source : sources_) {
    if (fill(source)) live.push_back(&source);
  }
  const auto earlier = [](const Source* a, const Source* b) {
    return a->waiting.front().time < b->waiting.front().time;
  };
  while (bytes < kBatchBytes && !live.empty()) {
    const auto at = std::min_element(live.begin(), live.end(), earlier);
    Source* earliest = *at;
    bytes += earliest->waiting.front().text.size() + sizeof(Record);
    out.push_back(std::move(earliest->waiting.front()));
    earliest->waiting.pop_front();
    if (!fill(*earliest)) live.erase(at);
  }
  return out;
}

}  // namespace devstack::logs
