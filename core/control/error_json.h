#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/http/message.h"

/// Errors on the control socket: `{"error": {"code": "not_found", "message": "no service \"x\""}}`. The only table from
/// Errc to HTTP status of devstack's own API, and back. Pure; any thread.
namespace devstack::control {

/// The enumerator's name: "not_found", "docker_unreachable".
std::string_view code_name(Errc code);
/// Errc::failed for a name this version does not know.
Errc code_from_name(std::string_view name);
int http_status(Errc code);

http::Response error_response(const Error& error);
/// What error_response() wrote; for an answer of another shape Errc::failed with its status and text.
Error error_from_response(const http::Response& response);

}  // namespace devstack::control
