#pragma once

#include <string>
#include <string_view>

namespace devstack::api {

/// A random UUID (RFC 9562 version 4), lower case. Any thread.
std::string new_uuid();
/// 8-4-4-4-12 hex digits.
bool is_uuid(std::string_view text);

}  // namespace devstack::api
