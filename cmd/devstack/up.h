#pragma once

#include "cmd/devstack/command.h"
#include "cmd/devstack/up_flags.h"

namespace devstack {

/// `up -d` with these flags: returns when all is healthy, with the exit code that the command would have.
int bring_up(const Globals& globals, const UpFlags& flags);

}  // namespace devstack
