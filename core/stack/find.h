#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

/// Which file is meant when none is named. Private to the room.
namespace devstack::stack {

/// stack.yaml and stack.yml, then Compose's names in Compose's order, in `cwd` and then in each folder above it.
/// Errc::stack_file when there is none, with what to do.
Result<std::string> find_stack_file(std::string_view cwd);

/// The override file that Compose would read together with `path`, if one is there: "" otherwise.
std::string find_override_file(std::string_view path);

/// The whole file, at most a little over the size that is read; Errc::stack_file names it and the reason.
Result<std::string> read_whole_file(const std::string& path);

}  // namespace devstack::stack
