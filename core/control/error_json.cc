#include "core/control/error_json.h"

#include <array>
#include <boost/json.hpp>

namespace devstack::control {
namespace {

namespace json = boost::json;

struct Row {
  Errc code;
  std::string_view name;
  int status;
};

constexpr std::array kRows{
    Row{Errc::failed, "failed", 500},
    Row{Errc::invalid_argument, "invalid_argument", 400},
    Row{Errc::not_found, "not_found", 404},
    Row{Errc::conflict, "conflict", 409},
    Row{Errc::permission, "permission", 403},
    Row{Errc::unavailable, "unavailable", 503},
    Row{Errc::timeout, "timeout", 504},
    Row{Errc::too_large, "too_large", 413},
    Row{Errc::io, "io", 500},
    Row{Errc::parse, "parse", 400},
    Row{Errc::stack_file, "stack_file", 422},
    Row{Errc::docker_unreachable, "docker_unreachable", 503},
    Row{Errc::port_taken, "port_taken", 409},
    Row{Errc::unhealthy, "unhealthy", 500},
    Row{Errc::usage, "usage", 400},
    Row{Errc::cancelled, "cancelled", 503},
};

const Row& row_of(Errc code) {
  for (const auto& row : kRows) {
    if (row.code == code) return row;
  }
  return kRows.front();
}

}  // namespace

std::string_view code_name(Errc code) { return row_of(code).name; }

Errc code_from_name(std::string_view name) {
  for (const auto& row : kRows) {
    if (row.name == name) return row.code;
  }
  return Errc::failed;
}

int http_status(Errc code) { return row_of(code).status; }

http::Response error_response(const Error& error) {
  const json::object inner{{"code", code_name(error.code)}, {"message", error.to_string()}};
  return http::json(http_status(error.code), json::serialize(json::object{{"error", inner}}) + "\n");
}

Error error_from_response(const http::Response& response) {
  boost::system::error_code broken;
  const auto document = json::parse(response.body, broken);
  const auto* object = broken ? nullptr : document.if_object();
  const auto* entry = object == nullptr ? nullptr : object->if_contains("error");
  const auto* inner = entry == nullptr ? nullptr : entry->if_object();
  const auto* code = inner == nullptr ? nullptr : inner->if_contains("code");
  const auto* message = inner == nullptr ? nullptr : inner->if_contains("message");
  if (code == nullptr || message == nullptr || !code->is_string() || !message->is_string()) {
    return Error{Errc::failed, fmt::format("devstack answered {}: {}", response.status, response.body.substr(0, 200))};
  }
  return Error{code_from_name(std::string_view(code->get_string())), std::string(message->get_string())};
}

}  // namespace devstack::control
