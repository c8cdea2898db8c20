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
/// The same of the files that the supervisor has read of a project; "" for the first that came up.
std::string choice_request(const UpChoice& choice, const std::string& project);
/// Whether a request names files, or means those that were read.
bool names_files(std::string_view request);
/// The project of a choice_request(), "" for the first.
std::string requested_project(std::string_view request);
/// Errc::invalid_argument; a request without a choice means everything.
Result<UpChoice> parse_up_choice(std::string_view request);

/// What an `up` asked for and goes on to mean when the stack is read again: `earlier` with a later one over it. What
/// was to be done once is not in it. Pure.
UpChoice lasting_choice(const UpChoice& earlier, const UpChoice& later);

/// The plan that the choice means, of a file that was read.
Result<stack::Plan> chosen_plan(const stack::Plan& running, stack::StackFile& file, const UpChoice& choice,
                                stack::EngineAvailable engine);

}  // namespace devstack
