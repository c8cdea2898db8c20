#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "core/docker/types.h"

/// Writing JSON that leaves out what was not given. Private to the room.
namespace devstack::docker::wire {

namespace json = boost::json;

inline json::array array_of(const std::vector<std::string>& from) {
  json::array all;
  for (const auto& text : from) all.emplace_back(text);
  return all;
}

inline json::object object_of(const StringMap& from) {
  json::object all;
  for (const auto& [name, value] : from) all[name] = value;
  return all;
}

inline void put_list(json::object& into, json::string_view name, const std::vector<std::string>& values) {
  if (!values.empty()) into[name] = array_of(values);
}

inline void put_map(json::object& into, json::string_view name, const StringMap& values) {
  if (!values.empty()) into[name] = object_of(values);
}

inline void put_text(json::object& into, json::string_view name, const std::string& value) {
  if (!value.empty()) into[name] = value;
}

inline void put_number(json::object& into, json::string_view name, std::int64_t value) {
  if (value != 0) into[name] = value;
}

inline void put_flag(json::object& into, json::string_view name, bool value) {
  if (value) into[name] = true;
}

/// A container's settings on a network.
json::object endpoint_of(const EndpointSpec& endpoint, std::string_view api_version);

}  // namespace devstack::docker::wire
