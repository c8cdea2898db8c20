#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/stack/stack_file.h"
#include "core/stack/yaml.h"

/// Compose's variable substitution: `$V ${V} ${V:-d} ${V-d} ${V:?e} ${V?e} ${V:+r} ${V+r}`, nested, `$$` for a dollar.
/// Private to the room. https://docs.docker.com/reference/compose-file/interpolation/
///
/// Two things differ on purpose: `$(…)` is left for the shell that will run it, and inside the command of a host
/// process `PORT` is left too, because its value is known only when the process starts.
namespace devstack::stack {

struct Variables {
  std::function<std::optional<std::string>(const std::string& name)> value;
  std::function<void(const std::string& name)> unset;  ///< told of `$V` without a value and without a default
  std::string_view keep;                               ///< this variable's references stay as written
};

/// One text. The error has no position.
Result<std::string> interpolate(std::string_view text, const Variables& variables);

/// Every value (never a key) of the tree; errors and unset variables go to `report`, each variable once.
/// `templates[].contents` stays as it is: a template has its own `$`.
void interpolate_tree(Node& root, const Environment& environment, Diagnostics& report);

/// A .env file: `K=V`, `export`, comments, single quotes literal, double quotes with escapes and substitution from what
/// stands before and from `environment` (which wins). A line without `=` takes nothing. Error: the line that is wrong.
Result<Environment> read_dotenv(std::string_view text, std::string_view file, const Environment& environment);

}  // namespace devstack::stack
