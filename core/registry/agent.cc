#include "core/registry/agent.h"

#include <fmt/format.h>

#include <boost/asio/ip/address.hpp>

namespace devstack::registry {

RegisterCommand on_own_node(const Identity& identity) {
  RegisterCommand command;
  command.node.id = identity.node_id;
  command.node.name = identity.node;
  command.node.address = identity.address;
  command.node.datacenter = identity.datacenter;
  command.skip_node_update = true;
  command.keep_check_status = true;
  return command;
}

void add_ip_tagged_addresses(Service& service) {
  boost::system::error_code not_an_ip;
  const auto ip = asio::ip::make_address(service.address, not_an_ip);
  if (not_an_ip) return;
  const ServiceAddress own{service.address, service.port};
  service.tagged_addresses.try_emplace(ip.is_v4() ? "lan_ipv4" : "lan_ipv6", own);
  service.tagged_addresses.try_emplace(ip.is_v4() ? "wan_ipv4" : "wan_ipv6", own);
}

std::string_view type_name(CheckDefinition::Kind kind) {
  switch (kind) {
    case CheckDefinition::Kind::none:
      return "";
    case CheckDefinition::Kind::ttl:
      return "ttl";
    case CheckDefinition::Kind::http:
      return "http";
    case CheckDefinition::Kind::tcp:
      return "tcp";
    case CheckDefinition::Kind::script:
      return "script";
    case CheckDefinition::Kind::docker:
      return "docker";
    case CheckDefinition::Kind::grpc:
      return "grpc";
    case CheckDefinition::Kind::h2ping:
      return "h2ping";
    case CheckDefinition::Kind::alias:
      return "alias";
  }
  return "";
}

void complete_checks(const Service& service, std::vector<Check>& checks) {
  const auto& service_id = service.id.empty() ? service.name : service.id;
  for (std::size_t i = 0; i < checks.size(); ++i) {
    auto& check = checks[i];
    check.node = service.node;
    check.service_id = service_id;
    if (check.id.empty()) {
      check.id =
          checks.size() == 1 ? fmt::format("service:{}", service_id) : fmt::format("service:{}:{}", service_id, i + 1);
    }
    if (check.name.empty()) check.name = fmt::format("Service '{}' check", service.name);
    if (check.type.empty()) check.type = type_name(check.definition.kind);
  }
}

asio::awaitable<Result<CommandResult>> register_service(RegistryWriter& writer, Service service,
                                                        std::vector<Check> checks) {
  const auto identity = writer.identity();
  auto command = on_own_node(identity);
  service.node = identity.node;
  service.agent_owned = true;
  if (service.id.empty()) service.id = service.name;
  add_ip_tagged_addresses(service);
  complete_checks(service, checks);
  for (auto& check : checks) check.agent_owned = true;
  command.service = std::move(service);
  command.checks = std::move(checks);
  Command posted(std::move(command));
  co_return co_await writer.apply(std::move(posted));
}

asio::awaitable<Result<CommandResult>> deregister_service(RegistryWriter& writer, std::string service_id) {
  DeregisterCommand command;
  command.node = writer.identity().node;
  command.service_id = std::move(service_id);
  Command posted(std::move(command));
  co_return co_await writer.apply(std::move(posted));
}

}  // namespace devstack::registry
