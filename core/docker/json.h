#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "core/base/result.h"

/// Reading JSON that may lack anything. Private to the room.
namespace devstack::docker::wire {

namespace json = boost::json;

inline Result<json::value> parse_json(std::string_view text) {
  boost::system::error_code error;
  auto value = json::parse({text.data(), text.size()}, error);
  if (error) return fail(Errc::parse, "the engine's answer is not JSON: {}", error.message());
  return value;
}

inline Result<json::object> parse_object(std::string_view text) {
  TRY(auto value, parse_json(text));
  if (!value.is_object()) return fail(Errc::parse, "the engine's answer is not a JSON object");
  return std::move(value.get_object());
}

inline Result<json::array> parse_array(std::string_view text) {
  TRY(auto value, parse_json(text));
  if (value.is_null()) return json::array();  // how Go writes an empty list that was never made
  if (!value.is_array()) return fail(Errc::parse, "the engine's answer is not a JSON array");
  return std::move(value.get_array());
}

inline const json::object& object_at(const json::object& from, std::string_view name) {
  static const json::object empty;
  const auto* value = from.if_contains({name.data(), name.size()});
  return value != nullptr && value->is_object() ? value->get_object() : empty;
}

inline const json::array& array_at(const json::object& from, std::string_view name) {
  static const json::array empty;
  const auto* value = from.if_contains({name.data(), name.size()});
  return value != nullptr && value->is_array() ? value->get_array() : empty;
}

inline std::string as_text(const json::value& value) {
  return value.is_string() ? std::string(value.get_string().data(), value.get_string().size()) : std::string();
}

inline std::string text_at(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains({name.data(), name.size()});
  return value != nullptr ? as_text(*value) : std::string();
}

inline std::int64_t number_at(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains({name.data(), name.size()});
  if (value == nullptr) return 0;
  boost::system::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  return error ? 0 : number;
}

inline bool flag_at(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains({name.data(), name.size()});
  return value != nullptr && value->is_bool() && value->get_bool();
}

}  // namespace devstack::docker::wire
