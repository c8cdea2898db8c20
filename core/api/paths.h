#pragma once

#include <string>
#include <string_view>

/// Paths as Go's ServeMux treats them. Pure. Private to the room.
namespace devstack::api {

/// Empty and dot segments removed ("/a//b/../c/" -> "/a/c/"): Go's path.Clean with the trailing slash kept.
std::string clean_path(std::string_view path);

}  // namespace devstack::api
