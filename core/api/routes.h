#pragma once

#include <span>
#include <string_view>

#include "core/api/call.h"

namespace devstack::api {

struct Match {
  const Route* route = nullptr;
  std::string_view rest;  ///< of the path given
  /// The path needs a slash at its end to be a route (Go's ServeMux redirects there).
  bool needs_slash = false;
};

/// The longest route that fits a decoded, clean path.
Match find_route(std::string_view path);
/// The whole table.
std::span<const Route> routes();

}  // namespace devstack::api
