#include "core/api/definitions.h"
#include "core/api/handlers.h"
#include "core/api/proxy.h"
#include "core/api/select.h"
#include "core/base/ascii.h"
#include "core/registry/uuid.h"

/// PUT /v1/catalog/register and deregister.
/// https://developer.hashicorp.com/consul/api-docs/catalog#register-entity
namespace devstack::api {
namespace {

namespace json = boost::json;

Result<json::value> body_of(const Call& call) {
  auto value = parse_json(call.request.body);
  if (!value) return fail(Errc::parse, "Request decode failed: {}", value.error().message);
  return value;
}

http::Response undecodable(const Error& error) {
  const bool enterprise = error.message == "json: unknown field \"Namespace\"";
  return http::text(400, fmt::format("Request decode failed: {}{}", error.message,
                                     enterprise ? " - Namespaces are a Consul Enterprise feature" : ""));
}

Result<void> check_datacenter(const Call& call, const std::string& datacenter) {
  if (datacenter.empty() || datacenter == call.backend.writer.identity().datacenter) return {};
  return fail(Errc::failed, "No path to datacenter");
}

Result<void> read_checks(Fields& fields, std::vector<registry::Check>& out) {
  if (const auto* one = fields.find("Check")) {
    TRY(auto check, read_health_check(*one, CheckForm::catalog));
    out.push_back(std::move(check));
  }
  const auto* many = fields.find("Checks");
  if (many == nullptr) return {};
  if (!many->is_array()) return fail(Errc::parse, "json: cannot unmarshal into Go struct field RegisterRequest.Checks");
  for (const auto& value : many->get_array()) {
    TRY(auto check, read_health_check(value, CheckForm::catalog));
    out.push_back(std::move(check));
  }
  return {};
}

Result<registry::RegisterCommand> read_registration(const json::value& body, std::string& datacenter) {
  registry::RegisterCommand command;
  auto& node = command.node;
  Fields fields(body, "RegisterRequest");
  fields.read("Datacenter", datacenter);
  fields.read("ID", node.id);
  fields.read("Node", node.name);
  fields.read("Address", node.address);
  fields.read("TaggedAddresses", node.tagged_addresses);
  fields.read("NodeMeta", node.meta);
  fields.read("SkipNodeUpdate", command.skip_node_update);
  fields.skip("Token");
  if (const auto* service = fields.find("Service")) {
    TRY(command.service, read_node_service(*service));
    if (command.service->id.empty()) command.service.reset();
  }
  CHECK(read_checks(fields, command.checks));
  CHECK(fields.done(Unknown::refuse));
  return command;
}

/// What Consul's catalog endpoint refuses before the transaction; the registry refuses the rest.
Result<void> validate(const registry::RegisterCommand& command) {
  if (command.node.name.empty()) return fail(Errc::failed, "Must provide node");
  if (command.node.address.empty() && !command.skip_node_update) {
    return fail(Errc::failed, "Must provide address if SkipNodeUpdate is not set");
  }
  if (!command.node.id.empty()) {
    const auto wrong = registry::uuid_format_error(command.node.id);
    if (!wrong.empty()) return fail(Errc::failed, "Bad node ID: {}", wrong);
  }
  if (!command.service) return {};
  const auto& service = *command.service;
  if (auto kind = validate_service_kind(service, nullptr); !kind) return fail(Errc::failed, "{}", kind.error().message);
  if (command.service->name.empty()) return fail(Errc::failed, "Must provide service name with ID");
  if (is_any_address(command.service->address)) return fail(Errc::failed, "Invalid service address");
  if (auto meta = validate_meta(service.meta); !meta) {
    return fail(Errc::failed, "failed inserting service: Invalid Service Meta for node {} and serviceID {}: {}",
                command.node.name, service.id, meta.error().message);
  }
  return {};
}

/// The own node and what the server itself put there: Consul's anti-entropy would bring them back.
bool is_ours_for_good(const registry::DeregisterCommand& command, const std::string& own_node) {
  if (!equal_ignoring_case(command.node, own_node)) return false;
  if (!command.service_id.empty()) return command.service_id == "consul";
  return command.check_id.empty() || command.check_id == "serfHealth";
}

}  // namespace

asio::awaitable<http::Response> catalog_register(const Call& call) {
  const auto body = body_of(call);
  if (!body) co_return respond(body.error());
  std::string datacenter;
  auto command = read_registration(*body, datacenter);
  if (!command) co_return undecodable(command.error());
  auto valid = check_datacenter(call, datacenter);
  if (valid) valid = validate(*command);
  if (!valid) co_return respond(valid.error());
  command->node.datacenter = call.backend.writer.identity().datacenter;
  registry::Command posted = std::move(*command);
  const auto result = co_await call.backend.writer.apply(std::move(posted));
  if (!result) co_return respond(result.error());
  co_return boolean(true);
}

asio::awaitable<http::Response> catalog_deregister(const Call& call) {
  const auto body = body_of(call);
  if (!body) co_return respond(body.error());
  std::string datacenter;
  std::string ignored;
  registry::DeregisterCommand command;
  Fields fields(*body, "");
  fields.read("Datacenter", datacenter);
  fields.read("Node", command.node);
  fields.read("ServiceID", command.service_id);
  fields.read("CheckID", command.check_id);
  fields.read("Address", ignored);
  fields.skip("Token");
  if (auto done = fields.done(Unknown::refuse); !done) {
    co_return undecodable(done.error());
  }
  if (auto ours = check_datacenter(call, datacenter); !ours) co_return respond(ours.error());
  if (command.node.empty()) co_return http::text(500, "Must provide node");
  // A service goes before a check, as in Consul.
  if (!command.service_id.empty()) command.check_id.clear();
  if (is_ours_for_good(command, call.backend.writer.identity().node)) co_return boolean(true);
  registry::Command posted = std::move(command);
  const auto result = co_await call.backend.writer.apply(std::move(posted));
  if (!result) co_return respond(result.error());
  co_return boolean(true);
}

}  // namespace devstack::api
