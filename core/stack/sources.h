#pragma once

#include <string>
#include <vector>

#include "core/stack/environment.h"
#include "core/stack/stack_file.h"

/// Which files make up the stack, and their texts. Private to the room.
namespace devstack::stack {

struct SourceFile {
  std::string path;   ///< absolute, or "-"
  std::string shown;  ///< in messages
  std::string text;
};

struct Sources {
  std::vector<SourceFile> files;  ///< to be merged in this order
  std::string project_dir;        ///< absolute; relative paths are relative to it
  Filling environment;
};

/// -f, COMPOSE_FILE (cut at COMPOSE_PATH_SEPARATOR, `:`), or what is found from the working folder upwards with the
/// override file beside it. Files that cannot be read go to `report`, so that the others are looked at too.
Result<Sources> find_sources(const LoadOptions& options, const std::string& cwd, Diagnostics& report);

}  // namespace devstack::stack
