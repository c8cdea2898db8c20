#pragma once

#include <boost/json/value.hpp>
#include <string>

/// Private to the room.
namespace devstack::stack {

/// Indented by two, a key a line.
std::string pretty(const boost::json::value& value);

}  // namespace devstack::stack
