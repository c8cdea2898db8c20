#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/stack/stack_file.h"
#include "core/stack/yaml.h"

/// Compose's variable substitution: `$V ${V} ${V:-d} ${V-d} ${V:?e} ${V?e} ${V:+r} ${V+r}`, nested, `$$` for a dollar.
/// Private to the room. https://docs.docker.com/reference/compose-file/interpolation/
///
/// Two things differ on purpose: `$(…)` is left for the shell that will run it, and inside the command of a host
/// process `PORT` is left too, because its value is known only when the process starts (`PID` in its stop command,
/// too).
namespace devstack::stack {

struct Variables {
  std::function<std::optional<std::string>(const std::string& name)> value;
  std::function<void(const std::string& name)> unset;  ///< told of `$V` without a value and without a default
  std::string_view keep;                               ///< this variable's references stay as written
};

/// One text. The error has no position.
Result<std::string> interpolate(std::string_view text, const Variables& variables);

/// One place that uses the variable of `devstack config --explain`.
struct VariableUse {
  SourcePos at;
  std::string path;     ///< "services.web.image"
  std::string written;  ///< "nginx:${TAG:-latest}"
  std::string result;   ///< "nginx:latest", or what is wrong
};

/// What the values of a tree are filled in from, and who hears of it.
struct Interpolation {
  const Environment& environment;
  Diagnostics& report;
  std::set<std::string>& told;      ///< unset variables that have been warned of: each is once
  std::string_view explained = {};  ///< the uses of this variable are wanted
  std::vector<VariableUse>* uses = nullptr;
};

/// Every value (never a key) of the tree; errors and unset variables go to the report.
/// `templates[].contents` stays as it is: a template has its own `$`.
void interpolate_tree(Node& root, const Interpolation& with);
/// The same for one entry of `services`.
void interpolate_service(Node& service, const Interpolation& with);
/// Fills in `$PORT` in the command of a service that is a container after all: it gets its image from another file.
void fill_port(Node& service, const Interpolation& with);
/// Whether `text` has `$name` or `${name…}`.
bool mentions(std::string_view text, std::string_view name);

/// One variable of a .env file.
struct Assignment {
  std::string name, value;
  SourcePos at;
};

/// A .env file: `K=V`, `export`, comments, single quotes literal, double quotes with escapes and substitution from what
/// stands before and from `environment` (which wins). A name alone has the environment's value, or none. Error: the
/// place that is wrong.
Result<std::vector<Assignment>> read_assignments(std::string_view text, std::string_view file,
                                                 const Environment& environment);
/// The same without places.
Result<Environment> read_dotenv(std::string_view text, std::string_view file, const Environment& environment);

}  // namespace devstack::stack
