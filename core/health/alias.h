#pragma once

#include <string>

#include "core/registry/state.h"

/// Alias checks: the health of another service instance or node, told again. Nothing is probed. Pure.
/// https://developer.hashicorp.com/consul/docs/services/usage/checks#alias-checks
namespace devstack::health {

struct AliasHealth {
  std::string status, output;
};

/// What an alias check says now. As in Consul's agent: the worst of the target's own checks and of those of its node,
/// the text of the first critical one, else of the last warning. Without alias_node only what was registered with the
/// agent of the check's own node counts (so serfHealth does not), and the text then names no node. The check itself is
/// left out.
AliasHealth alias_health(const registry::State& state, const registry::Check& check);

}  // namespace devstack::health
