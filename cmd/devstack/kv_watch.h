#pragma once

#include "cmd/devstack/command.h"

namespace devstack {

/// `devstack kv watch`: prints a key, or what changes below a prefix, each time it does.
void add_kv_watch(CommandLine line, CLI::App& kv);

}  // namespace devstack
