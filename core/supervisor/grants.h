#pragma once

#include <map>
#include <string>

#include "core/base/result.h"
#include "core/stack/plan.h"

/// Configs and secrets as files that containers mount, read-only.
namespace devstack::supervisor {

using FileDefs = std::map<std::string, stack::FileDef>;

/// What a service's configs and secrets hold, as a digest; "" without any that holds a value of its own. A file is
/// mounted as it is: its content may change under the container.
std::string grants_digest(const stack::ServiceSpec& service, const FileDefs& configs, const FileDefs& secrets);

/// The binds of a service's grants. Values are written below `folder`, which is made for us alone (0700), with the
/// grant's mode (0444 unless given) and, where we may, its owner. Errc::invalid_argument for an external one: only a
/// swarm keeps those.
Result<stack::Texts> write_grants(const stack::ServiceSpec& service, const FileDefs& configs, const FileDefs& secrets,
                                  const std::string& folder);

}  // namespace devstack::supervisor
