#include "core/api/agent_ids.h"

namespace devstack::api {

Result<std::string> agent_id(const Call& call) {
  auto decoded = http::decode_path(call.rest);
  if (!decoded) {
    return fail(Errc::failed, "failure in unescaping path param \"{}\": invalid URL escape", call.rest);
  }
  return std::move(*decoded);
}

registry::RegisterCommand on_own_node(const registry::Identity& identity) {
  registry::RegisterCommand command;
  command.node.id = identity.node_id;
  command.node.name = identity.node;
  command.node.address = identity.address;
  command.node.datacenter = identity.datacenter;
  command.skip_node_update = true;
  command.keep_check_status = true;
  return command;
}

registry::ServicePtr agent_service_of(const State& state, const std::string& node, std::string_view id) {
  auto service = state.service(node, id);
  return service != nullptr && service->agent_owned ? service : nullptr;
}

registry::CheckPtr agent_check_of(const State& state, const std::string& node, std::string_view id) {
  auto check = state.check(node, id);
  return check != nullptr && check->agent_owned ? check : nullptr;
}

asio::awaitable<http::Response> apply_quietly(const Call& call, registry::Command command) {
  const auto result = co_await call.backend.writer.apply(std::move(command));
  if (!result) co_return respond(result.error());
  co_return empty();
}

}  // namespace devstack::api
