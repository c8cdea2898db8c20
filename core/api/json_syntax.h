#pragma once

#include <string>
#include <string_view>

namespace devstack::api {

/// What Go's encoding/json says of the first JSON value of `text`: "invalid character '}' looking for beginning of
/// object key string", "unexpected EOF", "EOF" for nothing at all; "" when the value is well formed. Pure. Private.
std::string json_syntax_error(std::string_view text);

}  // namespace devstack::api
