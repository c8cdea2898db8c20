#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/stack/explain.h"
#include "core/stack/plan.h"
#include "core/supervisor/supervisor.h"

/// What an `up` does to each unit, before it does it: what `plan` and `up --dry-run` print. Pure.
namespace devstack {

enum class Action { unchanged, create, recreate, start, remove };
std::string_view to_string(Action action);

struct UnitChange {
  std::string unit;
  std::string what;  ///< "container of redis:7", "process"
  Action action = Action::unchanged;
  std::string reason;                     ///< in words, where it is none of the keys: "--force-recreate"
  std::vector<stack::KeyChange> changes;  ///< of a unit that is recreated
};

/// In the order of start, what is removed last. `idle`: units of the running plan that do not run now.
std::vector<UnitChange> unit_changes(const stack::Plan& running, const stack::Plan& wanted,
                                     const supervisor::ApplyOptions& how, const std::set<std::string>& idle);

/// {"project": …, "running": bool, "units": [{"name", "action", "what", "reason", "changes": [{"key", "was", "is"}]}]}
std::string changes_json(const std::string& project, bool running, const std::vector<UnitChange>& changes);
struct Changes {
  std::string project;
  bool running = false;  ///< devstack is up; otherwise everything is made
  std::vector<UnitChange> units;
};
Result<Changes> changes_from_json(std::string_view text);

enum class Explained { no, yes };
/// A line a unit and a count of them; with Explained::yes, under each why.
std::string changes_text(const Changes& changes, Explained explained);
/// Only what changes, in few words: "create web\nrecreate api"; "" for nothing.
std::string changes_words(const std::vector<UnitChange>& changes);

}  // namespace devstack
