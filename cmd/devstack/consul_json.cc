#include "cmd/devstack/consul_json.h"

#include "core/base/base64.h"

namespace devstack::consul_json {

namespace json = boost::json;

Result<json::value> parse(std::string_view body) {
  boost::system::error_code error;
  auto value = json::parse(json::string_view(body.data(), body.size()), error);
  if (error) return fail(Errc::parse, "what answered is no Consul: its answer is not JSON ({})", error.message());
  return value;
}

Result<std::vector<json::object>> objects(std::string_view body) {
  TRY(auto value, parse(body));
  std::vector<json::object> out;
  if (value.is_null()) return out;
  auto* list = value.if_array();
  if (list == nullptr) return fail(Errc::parse, "what answered is no Consul: its answer is not a list");
  for (auto& element : *list) {
    if (!element.is_object()) return fail(Errc::parse, "what answered is no Consul: its list holds no objects");
    out.push_back(std::move(element.as_object()));
  }
  return out;
}

std::string text(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  const auto* string = value == nullptr ? nullptr : value->if_string();
  return string == nullptr ? std::string() : std::string(string->data(), string->size());
}

std::uint64_t number(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr) return 0;
  if (const auto* big = value->if_uint64()) return *big;
  const auto* signed_number = value->if_int64();
  return signed_number == nullptr || *signed_number < 0 ? 0 : static_cast<std::uint64_t>(*signed_number);
}

std::vector<std::string> strings(const json::object& object, std::string_view name) {
  std::vector<std::string> out;
  const auto* value = object.if_contains(name);
  const auto* list = value == nullptr ? nullptr : value->if_array();
  if (list == nullptr) return out;
  for (const auto& element : *list) {
    if (const auto* string = element.if_string()) out.emplace_back(string->data(), string->size());
  }
  return out;
}

const json::object& child(const json::object& object, std::string_view name) {
  static const json::object kNone;
  const auto* value = object.if_contains(name);
  const auto* found = value == nullptr ? nullptr : value->if_object();
  return found == nullptr ? kNone : *found;
}

Result<std::string> bytes(const json::object& object, std::string_view name) {
  auto decoded = decode_base64(text(object, name));
  if (!decoded) return fail(Errc::parse, "{} is not base64", name);
  return std::move(*decoded);
}

}  // namespace devstack::consul_json
