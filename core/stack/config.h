#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/stack/stack_file.h"

/// What `devstack config` answers beside the resolved stack (stack_file.h). Each reads the files again. Any thread.
namespace devstack::stack {

/// What ${NAME} is filled in from: the environment, below it env files, and COMPOSE_PROJECT_NAME.
Result<Environment> interpolation_environment(const LoadOptions& options);

/// Where a variable has its value from, and who uses it.
struct Explanation {
  struct Source {
    std::string value;
    std::string where;  ///< "the environment", ".env:3:1"
  };
  struct Use {
    std::string where;    ///< "compose.yaml:4:12"
    std::string path;     ///< "services.web.image"
    std::string written;  ///< "nginx:${TAG:-latest}"
    std::string result;   ///< "nginx:latest", or what is wrong
  };
  std::vector<Source> sources;  ///< the first one counts; none: not set
  std::vector<Use> uses;        ///< in the order of the files
};
/// What is wrong with the files is said by load(); here only what cannot be read at all is an error.
Result<Explanation> explain_variable(const LoadOptions& options, const std::string& name);

enum class Form { yaml, json };

/// All files as one text with every `${…}` as it was written. Values are not checked.
Result<std::string> merged_text(const LoadOptions& options, Form form = Form::yaml);

/// A file of Compose's format 1 in today's; Errc::stack_file when it is none.
Result<std::string> converted_text(const LoadOptions& options, Form form = Form::yaml);

}  // namespace devstack::stack
