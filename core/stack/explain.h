#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/stack/plan.h"

/// Why a unit is made anew, in the stack file's own words; and plans for a part of the services. Pure; any thread.
namespace devstack::stack {

/// One key whose value differs. Values are as the file would have them, JSON where they are no plain text.
struct KeyChange {
  std::string key;                     ///< "environment.GREETING", "ports", "image"
  std::optional<std::string> was, is;  ///< nothing: the key is not there
  friend bool operator==(const KeyChange&, const KeyChange&) = default;
};

/// What changed between two plans of one unit, of what its container or process is made from. The value of a variable
/// or argument whose name looks like a secret's (PASSWORD, TOKEN, SECRET, KEY …) is shown as "***".
std::vector<KeyChange> explain(const PlannedUnit& was, const PlannedUnit& is);

enum class Dependencies { with, without };

/// The plan that `up SERVICE …` means: `services`, and with Dependencies::with all that they depend on, as `wanted` has
/// them; every other unit as it is in `running`, or not at all. Errc::not_found for a service of neither, with the
/// nearest name. No services: `wanted`.
Result<Plan> narrow(const Plan& running, const Plan& wanted, const Texts& services, Dependencies dependencies);

/// `--scale SERVICE=N`. Errc::usage for a text of another form, not_found for an unknown service, conflict for more
/// than one container of a fixed name.
Result<std::pair<std::string, int>> parse_scale(std::string_view text);
Result<void> set_scale(StackFile& file, const std::map<std::string, int>& scale);

}  // namespace devstack::stack
