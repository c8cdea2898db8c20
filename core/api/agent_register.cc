#include "core/api/agent_ids.h"
#include "core/api/definitions.h"
#include "core/api/handlers.h"
#include "core/api/proxy.h"
#include "core/api/sidecar.h"

/// PUT /v1/agent/service/register, deregister and /v1/agent/check/register, deregister.
/// https://developer.hashicorp.com/consul/api-docs/agent/service#register-service
namespace devstack::api {
namespace {

using registry::Check;
namespace json = boost::json;

constexpr std::string_view kNoScripts =
    "Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true";

bool runs_commands(const Check& check) { return !check.definition.script_args.empty(); }

Result<json::value> body_of(const Call& call) {
  auto value = parse_json(call.request.body);
  if (!value) return fail(Errc::parse, "Request decode failed: {}", value.error().message);
  return value;
}

/// The steps of Consul's AgentRegisterService, in its order: which error is told first is part of the contract.
Result<void> validate(const ServiceDefinition& definition, const ApiOptions& options) {
  const auto& service = definition.service;
  if (service.name.empty()) return fail(Errc::parse, "Missing service name");
  if (is_any_address(service.address)) return fail(Errc::parse, "Invalid service address");
  if (auto weights = validate_weights(service.weights); !weights) {
    return fail(Errc::parse, "Invalid Weights: {}", weights.error().message);
  }
  if (auto meta = validate_meta(service.meta); !meta) {
    return fail(Errc::parse, "Invalid Service Meta: {}", meta.error().message);
  }
  if (auto kind = validate_service_kind(service, definition.sidecar ? &*definition.sidecar : nullptr); !kind)
    return kind;
  for (const auto& check : definition.checks) {
    if (auto valid = validate_check(check.definition); !valid) {
      return fail(Errc::parse, "Invalid check: {}", valid.error().message);
    }
  }
  for (const auto& check : definition.checks) {
    if (!check.status.empty() && !is_status(check.status)) {
      return fail(Errc::parse, "Status for checks must 'passing', 'warning', 'critical'");
    }
  }
  for (const auto& check : definition.checks) {
    if (runs_commands(check) && options.remote_scripts == RemoteScripts::refuse)
      return fail(Errc::failed, "{}", kNoScripts);
  }
  return {};
}

bool replaces_checks(const Call& call) {
  const auto value = call.query.get("replace-existing-checks");
  return value && (value->empty() || *value == "true");
}

asio::awaitable<Result<registry::CommandResult>> register_definition(const Call& call, ServiceDefinition definition) {
  const auto identity = call.backend.writer.identity();
  auto command = registry::on_own_node(identity);
  command.replace_checks = replaces_checks(call);
  auto& service = definition.service;
  service.node = identity.node;
  service.agent_owned = true;
  registry::add_ip_tagged_addresses(service);
  auto proxy = proxy_from_text(service.proxy_json);
  complete_upstreams(proxy);
  service.proxy_json = proxy_text(proxy);
  registry::complete_checks(service, definition.checks);
  for (auto& check : definition.checks) {
    check.agent_owned = true;
    if (check.status.empty()) check.status = registry::status::critical;
  }
  command.service = std::move(service);
  command.checks = std::move(definition.checks);
  registry::Command posted = std::move(command);
  co_return co_await call.backend.writer.apply(std::move(posted));
}

}  // namespace

asio::awaitable<http::Response> agent_register_service(const Call& call) {
  const auto body = body_of(call);
  if (!body) co_return respond(body.error());
  auto definition = read_service_definition(*body);
  if (!definition) co_return respond(definition.error());
  if (auto valid = validate(*definition, call.backend.options); !valid) co_return respond(valid.error());
  std::optional<ServiceDefinition> sidecar;
  if (definition->sidecar) {
    const auto state = call.backend.view.snapshot();
    auto made = make_sidecar(*definition, *state, call.backend.writer.identity().node);
    if (!made) co_return respond(made.error());
    sidecar = std::move(*made);
  }
  const auto result = co_await register_definition(call, std::move(*definition));
  if (!result) co_return respond(result.error());
  if (sidecar) {
    const auto added = co_await register_definition(call, std::move(*sidecar));
    if (!added) co_return respond(added.error());
  }
  co_return empty();
}

asio::awaitable<http::Response> agent_deregister_service(const Call& call) {
  const auto id = agent_id(call);
  if (!id) co_return respond(id.error());
  if (id->empty()) co_return http::text(500, "ServiceID missing");
  const auto state = call.backend.view.snapshot();
  const auto node = call.backend.writer.identity().node;
  if (agent_service_of(*state, node, *id) == nullptr) co_return empty();
  const auto sidecar = agent_service_of(*state, node, *id + std::string(kSidecarSuffix));
  registry::DeregisterCommand command;
  command.node = node;
  command.service_id = *id;
  registry::Command posted = std::move(command);
  const auto result = co_await call.backend.writer.apply(std::move(posted));
  if (!result) co_return respond(result.error());
  if (sidecar == nullptr || sidecar->kind != "connect-proxy") co_return empty();
  registry::DeregisterCommand also;
  also.node = node;
  also.service_id = sidecar->id;
  registry::Command second = std::move(also);
  co_return co_await apply_quietly(call, std::move(second));
}

asio::awaitable<http::Response> agent_register_check(const Call& call) {
  const auto body = body_of(call);
  if (!body) co_return respond(body.error());
  auto check = read_check_definition(*body);
  if (!check) co_return respond(check.error());
  if (check->name.empty()) co_return http::text(400, "Missing check name");
  if (!check->status.empty() && !is_status(check->status)) co_return http::text(400, "Bad check status");
  if (auto valid = validate_check(check->definition); !valid) {
    co_return http::text(400, "Invalid check: " + valid.error().message);
  }
  if (runs_commands(*check) && call.backend.options.remote_scripts == RemoteScripts::refuse) {
    co_return http::text(500, std::string(kNoScripts));
  }
  const auto identity = call.backend.writer.identity();
  const auto state = call.backend.view.snapshot();
  if (!check->service_id.empty() && agent_service_of(*state, identity.node, check->service_id) == nullptr) {
    co_return http::text(500, fmt::format("ServiceID \"{}\" does not exist", check->service_id));
  }
  check->node = identity.node;
  check->agent_owned = true;
  if (check->status.empty()) check->status = registry::status::critical;
  auto command = registry::on_own_node(identity);
  command.checks.push_back(std::move(*check));
  registry::Command posted = std::move(command);
  co_return co_await apply_quietly(call, std::move(posted));
}

asio::awaitable<http::Response> agent_deregister_check(const Call& call) {
  const auto id = agent_id(call);
  if (!id) co_return respond(id.error());
  if (id->empty()) co_return http::text(500, "CheckID missing");
  const auto node = call.backend.writer.identity().node;
  const auto state = call.backend.view.snapshot();
  if (agent_check_of(*state, node, *id) == nullptr) co_return empty();
  registry::DeregisterCommand command;
  command.node = node;
  command.check_id = *id;
  registry::Command posted = std::move(command);
  co_return co_await apply_quietly(call, std::move(posted));
}

}  // namespace devstack::api
