#pragma once

#include <map>
#include <string>

#include "core/base/result.h"
#include "core/stack/plan.h"

/// Configs and secrets as files that containers mount, read-only.
namespace devstack::supervisor {

using FileDefs = std::map<std::string, stack::FileDef>;

/// The binds of a service's grants. Values are written below `folder`, which is made for us alone (0700), with the
/// grant's mode (0444 unless given) and, where we may, its owner. Errc::invalid_argument for an external one: only a
/// swarm keeps those.
Result<stack::Texts> write_grants(const stack::ServiceSpec& service, const FileDefs& configs, const FileDefs& secrets,
                                  const std::string& folder);

}  // namespace devstack::supervisor
