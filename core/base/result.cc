#include "core/base/result.h"

namespace devstack {

std::string SourcePos::to_string() const {
  if (line == 0) return file;
  if (column == 0) return fmt::format("{}:{}", file, line);
  return fmt::format("{}:{}:{}", file, line, column);
}

std::string Error::to_string() const {
  if (!at || (at->file.empty() && at->line == 0)) return message;
  return fmt::format("{}: {}", at->to_string(), message);
}

Error Error::with_context(std::string_view context) && {
  message = fmt::format("{}: {}", context, message);
  return std::move(*this);
}

}  // namespace devstack
