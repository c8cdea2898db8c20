#pragma once

#include <string>
#include <string_view>

/// What Consul says of texts that should be UUIDs and are not. Pure.
namespace devstack::registry {

/// Looking one up: "UUID must be 36 characters", "" when it can be looked up.
std::string uuid_lookup_error(std::string_view id);
/// A client chose it (the ID of a node): "uuid string is wrong length", "" when it is one.
std::string uuid_format_error(std::string_view id);

}  // namespace devstack::registry
