#include "core/api/agent_ids.h"
#include "core/api/definitions.h"
#include "core/api/go_text.h"
#include "core/api/handlers.h"
#include "core/api/limits.h"
#include "core/api/select.h"

/// PUT /v1/agent/check/pass, warn, fail, update and the maintenance modes.
/// https://developer.hashicorp.com/consul/api-docs/agent/check#ttl-check-pass
namespace devstack::api {
namespace {

using registry::CheckDefinition;

std::string cut_output(std::string output) {
  if (output.size() <= kLargestCheckOutput) return output;
  const std::size_t whole = output.size();
  output.resize(kLargestCheckOutput);
  return output + fmt::format(" ... (captured {} of {} bytes)", kLargestCheckOutput, whole);
}

asio::awaitable<http::Response> beat(const Call& call, std::string status, std::string output) {
  const auto id = agent_id(call);
  if (!id) co_return respond(id.error());
  const auto node = call.backend.writer.identity().node;
  const auto state = call.backend.view.snapshot();
  const auto check = agent_check_of(*state, node, *id);
  if (check == nullptr || check->definition.kind != CheckDefinition::Kind::ttl) {
    co_return http::text(500, fmt::format("CheckID \"{}\" does not have associated TTL", *id));
  }
  call.backend.options.heartbeat(check->node, check->id);
  registry::UpdateCheckCommand command;
  command.node = check->node;
  command.check_id = check->id;
  command.status = std::move(status);
  command.output = cut_output(std::move(output));
  registry::Command posted = std::move(command);
  const auto result = co_await call.backend.writer.apply(std::move(posted));
  if (!result && result.error().code == Errc::not_found) {
    co_return http::text(500, fmt::format("CheckID \"{}\" does not have associated TTL", *id));
  }
  if (!result) co_return respond(result.error());
  co_return empty();
}

/// `enable` as Go's ParseBool takes it; the error is the 400's text.
Result<bool> wants_maintenance(const Call& call) {
  const auto value = call.query.get("enable");
  if (!value) return fail(Errc::parse, "Missing value for enable");
  const auto enable = parse_bool(*value);
  if (!enable) return fail(Errc::parse, "Invalid value for enable: {}", go_quote(*value));
  return *enable;
}

struct Maintenance {
  std::string check_id, name, service_id, default_reason;
};

asio::awaitable<http::Response> set_maintenance(const Call& call, Maintenance mode, bool enable) {
  const auto identity = call.backend.writer.identity();
  if (!enable) {
    registry::DeregisterCommand command;
    command.node = identity.node;
    command.check_id = mode.check_id;
    registry::Command posted = std::move(command);
    co_return co_await apply_quietly(call, std::move(posted));
  }
  // One that is on already keeps its reason.
  if (agent_check_of(*call.backend.view.snapshot(), identity.node, mode.check_id) != nullptr) co_return empty();
  registry::Check check;
  check.node = identity.node;
  check.id = mode.check_id;
  check.name = mode.name;
  check.service_id = mode.service_id;
  check.type = "maintenance";
  check.agent_owned = true;
  check.notes = call.param("reason");
  if (check.notes.empty()) check.notes = mode.default_reason;
  auto command = registry::on_own_node(identity);
  command.keep_check_status = false;
  command.checks.push_back(std::move(check));
  registry::Command posted = std::move(command);
  co_return co_await apply_quietly(call, std::move(posted));
}

}  // namespace

asio::awaitable<http::Response> agent_check_pass(const Call& call) {
  return beat(call, std::string(registry::status::passing), std::string(call.param("note")));
}

asio::awaitable<http::Response> agent_check_warn(const Call& call) {
  return beat(call, std::string(registry::status::warning), std::string(call.param("note")));
}

asio::awaitable<http::Response> agent_check_fail(const Call& call) {
  return beat(call, std::string(registry::status::critical), std::string(call.param("note")));
}

asio::awaitable<http::Response> agent_check_update(const Call& call) {
  auto body = parse_json(call.request.body);
  if (!body) co_return http::text(400, "Request decode failed: " + body.error().message);
  std::string status;
  std::string output;
  Fields fields(*body, "checkUpdate");
  fields.read("Status", status);
  fields.read("Output", output);
  if (auto done = fields.done(Unknown::refuse); !done) {
    co_return http::text(400, "Request decode failed: " + done.error().message);
  }
  if (!is_status(status)) co_return http::text(400, fmt::format("Invalid check status: '{}'", status));
  co_return co_await beat(call, std::move(status), std::move(output));
}

asio::awaitable<http::Response> agent_service_maintenance(const Call& call) {
  const auto id = agent_id(call);
  if (!id) co_return respond(id.error());
  if (id->empty()) co_return http::text(400, "Missing service ID");
  const auto enable = wants_maintenance(call);
  if (!enable) co_return respond(enable.error());
  const auto state = call.backend.view.snapshot();
  const auto service = agent_service_of(*state, call.backend.writer.identity().node, *id);
  if (service == nullptr) co_return http::text(404, fmt::format("No service registered with ID \"{}\"", *id));
  Maintenance mode;
  mode.check_id = "_service_maintenance:" + service->id;
  mode.name = "Service Maintenance Mode";
  mode.service_id = service->id;
  mode.default_reason =
      "Maintenance mode is enabled for this service, but no reason was provided. This is a default message.";
  co_return co_await set_maintenance(call, std::move(mode), *enable);
}

asio::awaitable<http::Response> agent_maintenance(const Call& call) {
  const auto enable = wants_maintenance(call);
  if (!enable) co_return respond(enable.error());
  Maintenance mode;
  mode.check_id = "_node_maintenance";
  mode.name = "Node Maintenance Mode";
  mode.default_reason =
      "Maintenance mode is enabled for this node, but no reason was provided. This is a default message.";
  co_return co_await set_maintenance(call, std::move(mode), *enable);
}

}  // namespace devstack::api
