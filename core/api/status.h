#pragma once

#include "core/base/result.h"

namespace devstack::api {

/// The one map from kinds of errors to HTTP status. Consul answers 500 to most validation errors; a handler
/// that must say 400 says so itself.
[[nodiscard]] int http_status(Errc code);

}  // namespace devstack::api
