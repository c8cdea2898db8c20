#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "core/base/result.h"

/// The log facade: `log::info("dns", "listening on {}", where);`. The first argument is the component that speaks and
/// appears in brackets. Any thread. Lines go to standard error, or to the file set by `to_file` (rotated at 10 MiB,
/// three kept).
namespace devstack::log {

enum class Level { trace, debug, info, warn, error };

Result<Level> parse_level(std::string_view text);
void set_level(Level level);
[[nodiscard]] bool enabled(Level level);
Result<void> to_file(const std::string& path);
void write(Level level, std::string_view component, std::string_view message);

template <class... Args>
void line(Level level, std::string_view component, fmt::format_string<Args...> text, Args&&... args) {
  if (enabled(level)) write(level, component, fmt::format(text, std::forward<Args>(args)...));
}
#define DEVSTACK_LOG_LEVEL(name)                                                            \
  template <class... Args>                                                                  \
  void name(std::string_view component, fmt::format_string<Args...> text, Args&&... args) { \
    line(Level::name, component, text, std::forward<Args>(args)...);                        \
  }
DEVSTACK_LOG_LEVEL(trace)
DEVSTACK_LOG_LEVEL(debug)
DEVSTACK_LOG_LEVEL(info)
DEVSTACK_LOG_LEVEL(warn)
DEVSTACK_LOG_LEVEL(error)
#undef DEVSTACK_LOG_LEVEL

}  // namespace devstack::log
