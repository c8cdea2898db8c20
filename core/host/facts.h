#pragma once

#include "core/base/result.h"
#include "core/host/journal.h"
#include "core/host/machine.h"
#include "core/host/plan.h"

namespace devstack::host {

/// Looks at a machine. What `history` tells of our own changes, and nobody has changed since, is left out of `base`.
/// Reads files only; running programs count on this machine alone (Machine::is_this_one). Synchronous.
Result<HostFacts> gather(const Machine& machine, const History& history);

}  // namespace devstack::host
