#pragma once

#include <string>

#include "core/api/call.h"
#include "core/registry/agent.h"

/// What the agent/* handlers share. Private to the room.
namespace devstack::api {

/// Ids under /v1/agent/ are decoded once more than other paths.
Result<std::string> agent_id(const Call& call);

/// The agent's service or check of that id; null when the agent has none.
registry::ServicePtr agent_service_of(const State& state, const std::string& node, std::string_view id);
registry::CheckPtr agent_check_of(const State& state, const std::string& node, std::string_view id);

/// 200 and nothing, or the error: what most agent writes answer.
asio::awaitable<http::Response> apply_quietly(const Call& call, registry::Command command);

}  // namespace devstack::api
