#include "core/base/log.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

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

spdlog::logger& logger() {
  static const bool made = [] {
    auto standard_error = spdlog::stderr_color_mt("devstack");
    standard_error->set_pattern(kPattern);
    spdlog::set_default_logger(standard_error);
    return true;
  }();
  (void)made;
  return *spdlog::default_logger_raw();
}

}  // namespace

Result<Level> parse_level(std::string_view text) {
  if (text == "trace") return Level::trace;
  if (text == "debug") return Level::debug;
  if (text == "info") return Level::info;
  if (text == "warn" || text == "warning") return Level::warn;
  if (text == "error" || text == "err") return Level::error;
  return fail(Errc::usage, "unknown log level \"{}\": use trace, debug, info, warn or error", text);
}

void set_level(Level level) { logger().set_level(to_spdlog(level)); }
bool enabled(Level level) { return logger().should_log(to_spdlog(level)); }

Result<void> to_file(const std::string& path) {
  try {
    const auto level = logger().level();
    auto file = std::make_shared<spdlog::logger>(
        "file", std::make_shared<spdlog::sinks::rotating_file_sink_mt>(path, kFileBytes, kFilesKept));
    file->set_pattern(kPattern);
    file->set_level(level);
    file->flush_on(spdlog::level::info);
    spdlog::set_default_logger(file);
    return {};
  } catch (const spdlog::spdlog_ex& error) {
    return fail(Errc::io, "cannot log to {}: {}", path, error.what());
  }
}

void write(Level level, std::string_view component, std::string_view message) {
  logger().log(to_spdlog(level), "[{}] {}", component, message);
}

}  // namespace devstack::log
