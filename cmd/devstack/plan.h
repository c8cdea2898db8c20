#pragma once

#include "cmd/devstack/changes.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/up_choice.h"

namespace devstack {

/// Prints what an `up` with that choice would do to the stack that runs, or, where none does, from nothing. Returns the
/// exit code.
int print_changes(const Globals& globals, const UpChoice& choice, Explained explained);

}  // namespace devstack
