#pragma once

#include "core/api/definitions.h"
#include "core/registry/state.h"

/// Connect.SidecarService: the proxy's registration that comes along with a service's. Pure. Private.
namespace devstack::api {

inline constexpr std::string_view kSidecarSuffix = "-sidecar-proxy";

/// The sidecar of `parent`, with Consul's defaults and the first free port from 21000. Errors are the 400's text.
Result<ServiceDefinition> make_sidecar(const ServiceDefinition& parent, const registry::State& state,
                                       const std::string& node);

}  // namespace devstack::api
