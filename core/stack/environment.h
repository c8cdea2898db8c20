#pragma once

#include <string>
#include <vector>

#include "core/stack/interpolate.h"
#include "core/stack/stack_file.h"

/// What ${NAME} is filled in from: the operating system's environment, below it env files. Private to the room.
/// https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/
namespace devstack::stack {

struct Filling {
  Environment values;
  std::vector<Assignment> assignments;  ///< all that env files say, the strongest first
  std::vector<std::string> files;       ///< their paths, in the order in which they were read
};

/// The environment and the files of --env-file or COMPOSE_ENV_FILES (a later one wins), or else `.env` in `cwd`.
Result<Filling> read_environment(const LoadOptions& options, const std::string& cwd);
/// Adds `.env` of the project's folder for what is still missing, where no other files were named.
Result<void> add_project_env_file(Filling& into, const LoadOptions& options, const std::string& cwd,
                                  const std::string& project_dir);
/// The environment of an included file: its own env files (absolute) below what its includer has.
Result<Filling> included_environment(const Environment& above, const std::vector<std::string>& files,
                                     const std::string& cwd);

/// The items of a list in one variable, like COMPOSE_PROFILES.
std::vector<std::string> split_list(std::string_view text, std::string_view separator);
/// The variable's value; "" where it is not set.
std::string variable(const Environment& environment, const std::string& name);

}  // namespace devstack::stack
