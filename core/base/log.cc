#include "core/base/log.h"

#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <set>

#include "core/base/log_listener.h"

namespace devstack::log {
namespace {

constexpr const char* kPattern = "%Y-%m-%dT%H:%M:%S.%e%z %^%-5l%$ %v";
constexpr std::size_t kFileBytes = 10U << 20U;
constexpr std::size_t kFilesKept = 3;

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::trace:
      return spdlog::level::trace;
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

Level from_spdlog(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
      return Level::trace;
    case spdlog::level::debug:
      return Level::debug;
    case spdlog::level::warn:
      return Level::warn;
    case spdlog::level::err:
    case spdlog::level::critical:
      return Level::error;
    default:
      return Level::info;
  }
}

/// Whoever listens; part of every logger we make.
const std::shared_ptr<spdlog::sinks::dist_sink_mt>& listeners() {
  static const auto sink = std::make_shared<spdlog::sinks::dist_sink_mt>();
  return sink;
}

spdlog::logger& logger() {
  static const bool made = [] {
    auto standard_error = spdlog::stderr_color_mt("devstack");
    standard_error->set_pattern(kPattern);
    standard_error->sinks().push_back(listeners());
    spdlog::set_default_logger(standard_error);
    return true;
  }();
  (void)made;
  return *spdlog::default_logger_raw();
}

/// What the log itself shows stands with its first sink: the logger lets through what a listener wants besides.
std::multiset<spdlog::level::level_enum>& wanted() {
  static std::multiset<spdlog::level::level_enum> levels;
  return levels;
}
void set_levels(spdlog::level::level_enum own) {
  logger().sinks().front()->set_level(own);
  logger().set_level(wanted().empty() ? own : std::min(own, *wanted().begin()));
}
spdlog::level::level_enum own_level() { return std::max(logger().sinks().front()->level(), logger().level()); }

}  // namespace

Result<Level> parse_level(std::string_view text) {
  if (text == "trace") return Level::trace;
  if (text == "debug") return Level::debug;
  if (text == "info") return Level::info;
  if (text == "warn" || text == "warning") return Level::warn;
  if (text == "error" || text == "err") return Level::error;
  return fail(Errc::usage, "unknown log level \"{}\": use trace, debug, info, warn or error", text);
}

void set_level(Level level) { set_levels(to_spdlog(level)); }
bool enabled(Level level) { return logger().should_log(to_spdlog(level)); }

Result<void> to_file(const std::string& path) {
  try {
    const auto level = own_level();
    auto file = std::make_shared<spdlog::logger>(
        "file", std::make_shared<spdlog::sinks::rotating_file_sink_mt>(path, kFileBytes, kFilesKept));
    file->set_pattern(kPattern);
    file->flush_on(spdlog::level::info);
    file->sinks().push_back(listeners());
    spdlog::set_default_logger(file);
    set_levels(level);
    return {};
  } catch (const spdlog::spdlog_ex& error) {
    return fail(Errc::io, "cannot log to {}: {}", path, error.what());
  }
}

struct Listener::Sink final : spdlog::sinks::sink {
  Sink(spdlog::level::level_enum least, Told to) : told(std::move(to)) { set_level(least); }
  void log(const spdlog::details::log_msg& message) override {
    std::string_view text(message.payload.data(), message.payload.size());
    const auto end = text.find("] ");  // as write() puts it
    std::string_view component;
    if (text.starts_with('[') && end != std::string_view::npos) {
      component = text.substr(1, end - 1);
      text.remove_prefix(end + 2);
    }
    told({message.time, from_spdlog(message.level), component, text});
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}
  Told told;
};

Listener::Listener(Level least, Told told) : sink_(std::make_shared<Sink>(to_spdlog(least), std::move(told))) {
  const auto own = own_level();
  wanted().insert(sink_->level());
  listeners()->add_sink(sink_);
  set_levels(own);
}

Listener::~Listener() {
  const auto own = own_level();
  listeners()->remove_sink(sink_);
  wanted().erase(wanted().find(sink_->level()));
  set_levels(own);
}

void write(Level level, std::string_view component, std::string_view message) {
  logger().log(to_spdlog(level), "[{}] {}", component, message);
}

}  // namespace devstack::log
