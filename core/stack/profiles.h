#pragma once

#include <set>
#include <string>

#include "core/stack/read.h"

/// Which services count. Private to the room. https://docs.docker.com/reference/compose-file/profiles/
namespace devstack::stack {

/// --profile, COMPOSE_PROFILES, and the profiles of the services that were named.
std::set<std::string> active_profiles(const StackFile& file, const LoadOptions& options,
                                      const Environment& environment);

/// Moves the services without an active profile to `inactive`. A dependency on one of those is an error where it is
/// required, and else as if it had not been written.
void apply_profiles(StackFile& file, const std::set<std::string>& active, const Node& root, Diagnostics& report);

}  // namespace devstack::stack
