#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cmd/devstack/command.h"
#include "cmd/devstack/watch_session.h"

namespace devstack {

/// Whether one of the services says what is to be done when its sources change; with an action, that it is this.
bool has_watch_rules(const stack::StackFile& file, std::string_view action = {});

/// Acts on the sources of the running stack until SIGINT or SIGTERM, which is how it is ended: exit code 0.
/// `settings.services`: these and what they depend on; none: all.
int watch_sources(const Globals& globals, WatchSettings settings);

}  // namespace devstack
