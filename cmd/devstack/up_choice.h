#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/stack/plan.h"
#include "core/stack/stack_file.h"
#include "core/supervisor/supervisor.h"

/// What one `up` asks for besides the stack file, as flags, as JSON to a running supervisor, and applied to a plan.
namespace devstack {

struct UpChoice {
  supervisor::ApplyOptions how;
  std::map<std::string, int> scale;
  bool no_build = false;
  bool watch = false;  ///< the stack's files are followed, and changes of them applied

  /// The flags of `up` that mean the same: how a starting supervisor is told.
  [[nodiscard]] std::vector<std::string> flags() const;
};

/// The body of the control API's apply and plan: what apply_request() writes, and the choice.
std::string up_request(const stack::LoadOptions& load, const UpChoice& choice);
/// Errc::invalid_argument; a request without a choice means everything.
Result<UpChoice> parse_up_choice(std::string_view request);

/// The plan that the choice means, of a file that was read.
Result<stack::Plan> chosen_plan(const stack::Plan& running, stack::StackFile& file, const UpChoice& choice,
                                stack::EngineAvailable engine);

}  // namespace devstack
