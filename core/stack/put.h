#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/duration.h"

/// Adds a key to a JSON object unless its value says nothing. Private to the room.
namespace devstack::stack {

namespace json = boost::json;

template <class T>
void put(json::object& into, std::string_view key, const T& value, const T& unless) {
  if (value != unless) into[key] = value;
}

inline void put(json::object& into, std::string_view key, const std::string& value) {
  if (!value.empty()) into[key] = value;
}

inline void put(json::object& into, std::string_view key, const std::vector<std::string>& values) {
  if (!values.empty()) into[key] = json::array(values.begin(), values.end());
}

inline void put(json::object& into, std::string_view key, const std::map<std::string, std::string>& values) {
  if (values.empty()) return;
  json::object map;
  for (const auto& [name, value] : values) map[name] = value;
  into[key] = std::move(map);
}

inline void put(json::object& into, std::string_view key, json::object value) {
  if (!value.empty()) into[key] = std::move(value);
}

inline void put(json::object& into, std::string_view key, json::array values) {
  if (!values.empty()) into[key] = std::move(values);
}

inline void put_span(json::object& into, std::string_view key, std::chrono::nanoseconds value,
                     std::chrono::nanoseconds unless) {
  if (value != unless) into[key] = format_duration(value);
}

}  // namespace devstack::stack
