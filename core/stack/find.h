#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

/// Which file is meant when none is named. Private to the room.
namespace devstack::stack {

/// stack.yaml and stack.yml, then Compose's names in Compose's order, in `cwd` and then in each folder above it.
/// Errc::stack_file when there is none, with what to do.
Result<std::string> find_stack_file(std::string_view cwd);

/// The override file that is read together with `path`, a file that nobody named: its own name with `.override` before
/// the extension, or for one of Compose's names any of Compose's. "" where there is none.
std::string find_override_file(const std::string& path);

/// The whole file, at most a little over the size that is read; Errc::stack_file names it and the reason.
Result<std::string> read_whole_file(const std::string& path);

/// As the user would name it: relative to where they stand when it is below, else absolute.
std::string shown_path(const std::string& path, const std::string& cwd);
/// Where the user stands: absolute, without a slash at the end. "" is the process's own folder.
std::string working_folder(const std::string& cwd);

}  // namespace devstack::stack
