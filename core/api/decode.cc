#include "core/api/decode.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>
#include <cmath>
#include <limits>

#include "core/api/json_syntax.h"
#include "core/api/select.h"
#include "core/base/ascii.h"
#include "core/base/duration.h"

namespace devstack::api {
namespace {

namespace json = boost::json;

std::string_view kind_name(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "bool";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return "number";
    case json::kind::string:
      return "string";
    case json::kind::array:
      return "array";
    case json::kind::object:
      return "object";
  }
  return "value";
}

std::optional<std::int64_t> integer(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  return std::nullopt;
}

/// A number too large for a double reads as infinity, which no JSON can say again; Go refuses it.
bool holds_infinity(const json::value& value) {
  if (const auto* number = value.if_double()) return !std::isfinite(*number);
  if (const auto* list = value.if_array()) return std::any_of(list->begin(), list->end(), holds_infinity);
  const auto* object = value.if_object();
  return object != nullptr &&
         std::any_of(object->begin(), object->end(), [](const auto& member) { return holds_infinity(member.value()); });
}

/// With its package; "" is a struct without a name.
std::string go_type(std::string_view name) {
  if (name.empty()) return "struct";
  const std::string_view package = name == "TxnOp" ? "api" : name == "checkUpdate" ? "agent" : "structs";
  return fmt::format("{}.{}", package, name.substr(0, name.find('.')));
}

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

}  // namespace

Result<json::value> parse_json(std::string_view body) {
  json::stream_parser parser;
  json::error_code error;
  parser.write_some(body.data(), body.size(), error);
  if (!error && !parser.done()) parser.finish(error);
  if (error) {
    const auto why = json_syntax_error(body);
    return fail(Errc::parse, "{}", why.empty() ? "invalid JSON: " + error.message() : why);
  }
  auto value = parser.release();
  if (holds_infinity(value)) return fail(Errc::parse, "json: cannot unmarshal number into Go value of type float64");
  return value;
}

bool has_member(const json::value& value, std::string_view name) {
  const auto* object = value.if_object();
  return object != nullptr && std::any_of(object->begin(), object->end(), [&](const auto& member) {
           return equal_ignoring_case(std::string_view(member.key().data(), member.key().size()), name);
         });
}

Fields::Fields(const json::value& value, std::string_view type_name)
    : object_(value.if_object()), type_name_(type_name) {
  if (object_ == nullptr && !value.is_null()) {
    set_error({Errc::parse, fmt::format("json: cannot unmarshal {} into Go value of type {}", kind_name(value),
                                        go_type(type_name))});
  }
}

const json::value* Fields::find(std::string_view name, std::string_view alias) {
  known_.push_back(name);
  if (!alias.empty()) known_.push_back(alias);
  if (object_ == nullptr) return nullptr;
  const json::value* found = nullptr;
  for (const auto& member : *object_) {
    const std::string_view key(member.key().data(), member.key().size());
    const bool named = equal_ignoring_case(key, name) || (!alias.empty() && equal_ignoring_case(key, alias));
    if (named && !member.value().is_null()) found = &member.value();
  }
  return found;
}

void Fields::set_error(Error error) {
  if (!error_) error_ = std::move(error);
}

void Fields::mismatch(const json::value& value, std::string_view name, std::string_view type) {
  const bool to_integer = type.starts_with("int") || type.starts_with("uint");
  auto what = std::string(kind_name(value));
  if (to_integer && value.is_number()) {
    what += ' ';
    what += value.is_double() ? fmt::format("{}", value.get_double()) : json::serialize(value);
  }
  set_error({Errc::parse, fmt::format("json: cannot unmarshal {} into Go struct field {}.{} of type {}", what,
                                      type_name_, name, type)});
}

void Fields::read(std::string_view name, std::string& out, std::string_view alias) {
  const auto* value = find(name, alias);
  if (value == nullptr) return;
  if (!value->is_string()) return mismatch(*value, name, "string");
  out = view(value->get_string());
}

void Fields::read(std::string_view name, bool& out, std::string_view alias) {
  const auto* value = find(name, alias);
  if (value == nullptr) return;
  if (!value->is_bool()) return mismatch(*value, name, "bool");
  out = value->get_bool();
}

void Fields::read(std::string_view name, int& out, std::string_view alias) {
  const auto* value = find(name, alias);
  if (value == nullptr) return;
  const auto number = integer(*value);
  if (!number || *number > std::numeric_limits<int>::max() || *number < std::numeric_limits<int>::min()) {
    return mismatch(*value, name, "int");
  }
  out = static_cast<int>(*number);
}

void Fields::read(std::string_view name, std::uint64_t& out) {
  const auto* value = find(name);
  if (value == nullptr) return;
  if (value->is_uint64()) {
    out = value->get_uint64();
  } else if (value->is_int64() && value->get_int64() >= 0) {
    out = static_cast<std::uint64_t>(value->get_int64());
  } else {
    mismatch(*value, name, "uint64");
  }
}

void Fields::read(std::string_view name, std::vector<std::string>& out, std::string_view alias) {
  const auto* value = find(name, alias);
  if (value == nullptr) return;
  if (!value->is_array()) return mismatch(*value, name, "[]string");
  out.clear();
  for (const auto& element : value->get_array()) {
    if (!element.is_string()) return mismatch(element, name, "string");
    out.emplace_back(view(element.get_string()));
  }
}

void Fields::read(std::string_view name, StringMap& out, std::string_view alias) {
  const auto* value = find(name, alias);
  if (value == nullptr) return;
  if (!value->is_object()) return mismatch(*value, name, "map[string]string");
  out.clear();
  for (const auto& member : value->get_object()) {
    if (!member.value().is_string()) return mismatch(member.value(), name, "string");
    out.insert_or_assign(std::string(member.key()), std::string(view(member.value().get_string())));
  }
}

void Fields::read(std::string_view name, std::map<std::string, std::vector<std::string>>& out) {
  const auto* value = find(name);
  if (value == nullptr) return;
  if (!value->is_object()) return mismatch(*value, name, "map[string][]string");
  out.clear();
  for (const auto& member : value->get_object()) {
    if (!member.value().is_array()) return mismatch(member.value(), name, "[]string");
    auto& list = out[std::string(member.key())];
    for (const auto& element : member.value().get_array()) {
      if (!element.is_string()) return mismatch(element, name, "string");
      list.emplace_back(view(element.get_string()));
    }
  }
}

void Fields::read(std::string_view name, std::chrono::nanoseconds& out, std::string_view alias) {
  const auto* value = find(name, alias);
  if (value == nullptr) return;
  if (value->is_string()) {
    auto parsed = parse_duration(view(value->get_string()));
    if (!parsed) return set_error(std::move(parsed).error());
    out = *parsed;
  } else if (value->is_double() && std::fabs(value->get_double()) < 9.2e18) {
    out = std::chrono::nanoseconds(static_cast<std::int64_t>(value->get_double()));
  } else if (const auto number = integer(*value)) {
    out = std::chrono::nanoseconds(*number);
  }
  // Consul reads a duration as "anything" first, and leaves out what is neither text nor number.
}

Result<void> Fields::done(Unknown unknown) {
  if (error_) return tl::unexpected<Error>(*error_);
  if (unknown == Unknown::ignore || object_ == nullptr) return {};
  for (const auto& member : *object_) {
    const std::string_view key(member.key().data(), member.key().size());
    const bool known = std::any_of(known_.begin(), known_.end(),
                                   [&](std::string_view name) { return equal_ignoring_case(name, key); });
    if (known) continue;
    return fail(Errc::parse, "json: unknown field \"{}\"", key);
  }
  return {};
}

}  // namespace devstack::api
