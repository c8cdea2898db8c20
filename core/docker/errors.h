#pragma once

#include "core/base/result.h"
#include "core/http/client.h"

/// What goes wrong between us and an engine, in words for the user. Private to the room.
namespace devstack::docker {

/// The engine was not reached, or went away: Errc::docker_unreachable. Others (timeout, cancelled) stay what they are.
Error unreachable(Error error, const http::Target& target);

/// An answer of status 400 and above: its {"message": …}, as Errc::not_found (404), conflict (409) or failed.
Error refused(int status, std::string_view body);

}  // namespace devstack::docker
