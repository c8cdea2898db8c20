#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/stack/stack_file.h"

/// What `devstack config` prints.
namespace devstack {

struct ConfigOptions {
  enum class Ask {
    stack,     ///< the resolved stack
    services,  ///< names, one a line, like the next four
    volumes,
    networks,
    images,
    profiles,
    hash,         ///< "web 1:0123…" a line
    environment,  ///< what fills in ${NAME}
    explain,      ///< where a variable's value comes from, and who uses it
    merged,       ///< the files as one, with every ${NAME} as it is written
    converted,    ///< a file of Compose's format 1 in today's
    schema,       ///< the JSON Schema of stack files
  };
  Ask ask = Ask::stack;
  bool json = false;
  std::string hash_of;   ///< "*", or names with commas
  std::string variable;  ///< for Ask::explain
};

struct ConfigText {
  std::string text;
  std::vector<std::string> warnings;
};

/// `load.targets` are the services asked for: they are shown with what they depend on.
Result<ConfigText> config_text(const stack::LoadOptions& load, const ConfigOptions& options);

}  // namespace devstack
