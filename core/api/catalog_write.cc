#include "core/api/definitions.h"
#include "core/api/handlers.h"
#include "core/api/select.h"
#include "core/api/uuid.h"

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

Result<void> check_datacenter(const Call& call, const std::string& datacenter) {
  if (datacenter.empty() || datacenter == call.backend.writer.identity().datacenter) return {};
  return fail(Errc::failed, "No path to datacenter");
}

Result<void> read_checks(Fields& fields, std::vector<registry::Check>& out) {
  if (const auto* one = fields.find("Check")) {
    TRY(auto check, read_health_check(*one));
    out.push_back(std::move(check));
  }
  const auto* many = fields.find("Checks");
  if (many == nullptr) return {};
  if (!many->is_array()) return fail(Errc::parse, "json: cannot unmarshal into Go struct field RegisterRequest.Checks");
  for (const auto& value : many->get_array()) {
    TRY(auto check, read_health_check(value));
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
  fields.skip("WriteRequest");
  if (const auto* service = fields.find("Service")) {
    TRY(command.service, read_node_service(*service));
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
  if (!command.node.id.empty() && !is_uuid(command.node.id)) {
    return fail(Errc::failed, "Bad node ID: uuid string is wrong length");
  }
  if (!command.service) return {};
  if (command.service->name.empty()) return fail(Errc::failed, "Must provide service name with ID");
  if (is_any_address(command.service->address)) return fail(Errc::failed, "Invalid service address");
  return {};
}

/// The own node and what the server itself put there: Consul's anti-entropy would bring them back.
bool is_ours_for_good(const registry::DeregisterCommand& command, const std::string& own_node) {
  if (!equal_without_case(command.node, own_node)) return false;
  if (!command.service_id.empty()) return command.service_id == "consul";
  return command.check_id.empty() || command.check_id == "serfHealth";
}

}  // namespace

asio::awaitable<http::Response> catalog_register(const Call& call) {
  const auto body = body_of(call);
  if (!body) co_return respond(body.error());
  std::string datacenter;
  auto command = read_registration(*body, datacenter);
  if (!command) co_return http::text(400, "Request decode failed: " + command.error().message);
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
  Fields fields(*body, "DeregisterRequest");
  fields.read("Datacenter", datacenter);
  fields.read("Node", command.node);
  fields.read("ServiceID", command.service_id);
  fields.read("CheckID", command.check_id);
  fields.read("Address", ignored);
  fields.skip("Token");
  fields.skip("WriteRequest");
  if (auto done = fields.done(Unknown::refuse); !done) {
    co_return http::text(400, "Request decode failed: " + done.error().message);
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
