#include "core/api/monitor.h"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <ctime>

#include "core/api/handlers.h"
#include "core/api/json_writer.h"
#include "core/api/select.h"
#include "core/base/ascii.h"

namespace devstack::api {
namespace {

struct LevelName {
  log::Level level;
  std::string_view name, padded, json;
};
constexpr LevelName kLevels[] = {
    {log::Level::trace, "trace", "[TRACE] ", "trace"}, {log::Level::debug, "debug", "[DEBUG] ", "debug"},
    {log::Level::info, "info", "[INFO]  ", "info"},    {log::Level::warn, "warn", "[WARN]  ", "warn"},
    {log::Level::error, "err", "[ERROR] ", "error"},   {log::Level::error, "error", "[ERROR] ", "error"}};

const LevelName& named(log::Level level) {
  for (const auto& entry : kLevels) {
    if (entry.level == level) return entry;
  }
  return kLevels[2];
}

std::string utc(std::chrono::system_clock::time_point time, int digits, std::string_view zone) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  const auto seconds = static_cast<std::time_t>(micros / 1000000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  const auto fraction = fmt::format("{:06}", micros % 1000000);
  return fmt::format("{}.{}{}", text, fraction.substr(0, static_cast<std::size_t>(digits)), zone);
}

asio::awaitable<void> follow_log(std::shared_ptr<LogQueue> queue, log::Level least, http::BodyWriter& writer) {
  const log::Listener listener(least, [queue](const log::Line& line) { queue->offer(line); });
  while (true) {
    auto text = co_await queue->take();
    if (text.empty()) co_return;
    const bool written = co_await writer.write(std::move(text));
    if (!written) co_return;
  }
}

}  // namespace

std::optional<log::Level> monitor_level(std::string_view text) {
  for (const auto& entry : kLevels) {
    if (equal_ignoring_case(entry.name, text)) return entry.level;
  }
  return std::nullopt;
}

std::string monitor_line(const log::Line& line, LogForm form) {
  if (form == LogForm::text) {
    return fmt::format("{} {}{}: {}\n", utc(line.time, 3, "Z"), named(line.level).padded, line.component, line.message);
  }
  JsonWriter out;
  out.open_object();
  out.field("@level", named(line.level).json);
  out.field("@message", line.message);
  out.field("@module", line.component);
  out.field("@timestamp", utc(line.time, 6, "Z"));
  out.close_object();
  return out.take() + "\n";
}

void LogQueue::offer(const log::Line& line) {
  if (waiting_.fetch_add(1) >= kMost) {
    waiting_.fetch_sub(1);
    dropped_.fetch_add(1);
    return;
  }
  asio::post(executor_, [self = shared_from_this(), text = monitor_line(line, form_)]() mutable {
    self->arrive(std::move(text));
  });
}

void LogQueue::arrive(std::string text) {
  lines_.push_back(std::move(text));
  arrived_.bump();
}

asio::awaitable<std::string> LogQueue::take() {
  while (lines_.empty()) {
    const auto seen = arrived_.version();
    const bool came = co_await arrived_.wait_past(seen, std::chrono::steady_clock::time_point::max());
    if (!came) co_return std::string();
  }
  std::string text;
  for (const auto& line : lines_) text += line;
  waiting_.fetch_sub(lines_.size());
  lines_.clear();
  if (const auto lost = dropped_.exchange(0); lost > 0) {
    const auto said = fmt::format("{} lines were left out: this reader is too slow", lost);
    text += monitor_line({std::chrono::system_clock::now(), log::Level::warn, "monitor", said}, form_);
  }
  co_return text;
}

asio::awaitable<http::Response> agent_monitor(const Call& call) {
  const auto wanted = call.param("loglevel");
  const auto least = monitor_level(wanted.empty() ? "INFO" : wanted);
  if (!least) co_return http::text(400, fmt::format("Bad request: Unknown log level: {}", wanted));
  const auto form = call.query.has("logjson") ? LogForm::json : LogForm::text;
  auto queue = std::make_shared<LogQueue>(co_await asio::this_coro::executor, form);
  http::Response response;
  response.headers.set("Content-Type", "text/plain; charset=utf-8");
  response.stream = [queue, least = *least](http::BodyWriter& writer) { return follow_log(queue, least, writer); };
  co_return response;
}

}  // namespace devstack::api
