#pragma once

#include <string>
#include <string_view>

#include "core/registry/state.h"

/// The registry's whole content as bytes and back: what a snapshot archive carries as state.bin. The form is devstack's
/// own (a magic word, a version, records, their count) and is not Consul's. Pure; any thread, for large contents not
/// the loop's.
namespace devstack::registry {

[[nodiscard]] std::string encode_snapshot(const State& state);

/// Errc::parse for bytes that another program wrote, that a newer devstack wrote, that are damaged, or whose rows do
/// not belong together (a service on a node that is not there): whatever it returns is safe to carry out.
[[nodiscard]] Result<RestoreCommand> decode_snapshot(std::string_view bytes);

}  // namespace devstack::registry
