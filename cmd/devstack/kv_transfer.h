#pragma once

#include "cmd/devstack/command.h"

namespace devstack {

/// `devstack kv export` and `kv import`: trees of the KV store as JSON, in the form of Consul's own.
void add_kv_export(CommandLine line, CLI::App& kv);
void add_kv_import(CommandLine line, CLI::App& kv);

}  // namespace devstack
