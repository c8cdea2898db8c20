#pragma once

#include <string>
#include <string_view>

#include "core/stack/stack_file.h"

namespace devstack::stack::test {

/// Reads a text as /project/stack.yaml would be.
inline Result<StackFile> read(std::string_view text, Environment environment = {}) {
  LoadOptions options;
  options.cwd = "/project";
  options.environment = std::move(environment);
  return parse(text, "stack.yaml", options);
}

/// Every error of a text, as the user sees them; "" when there is none.
inline std::string errors(std::string_view text, Environment environment = {}) {
  const auto file = read(text, std::move(environment));
  return file ? "" : file.error().to_string();
}

}  // namespace devstack::stack::test
