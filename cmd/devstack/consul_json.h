#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

/// Reading Consul's answers: what is absent, null or of another type counts as empty, as it does for Consul's own
/// clients. Pure.
namespace devstack::consul_json {

Result<boost::json::value> parse(std::string_view body);
/// The objects of an array; `null` is an empty one. Errc::parse for anything else.
Result<std::vector<boost::json::object>> objects(std::string_view body);

std::string text(const boost::json::object& object, std::string_view name);
std::uint64_t number(const boost::json::object& object, std::string_view name);
std::vector<std::string> strings(const boost::json::object& object, std::string_view name);
/// The object of that name, empty when there is none.
const boost::json::object& child(const boost::json::object& object, std::string_view name);
/// The bytes of a base64 string; Errc::parse when it is none.
Result<std::string> bytes(const boost::json::object& object, std::string_view name);

}  // namespace devstack::consul_json
