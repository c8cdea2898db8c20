#include "core/registrator/checks.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "core/registrator/check_definition.h"
#include "core/registry/agent.h"

namespace devstack::registrator {
namespace {

constexpr std::size_t max_check_output = 4096;

std::string id_alone(const std::string& service_id) { return "service:" + service_id; }
std::string id_beside(const std::string& service_id) { return "service:" + service_id + ":docker"; }

bool is_status(std::string_view text) {
  return text == registry::status::passing || text == registry::status::warning || text == registry::status::critical;
}

std::optional<registry::Check> docker_check(const docker::Container& container) {
  registry::Check check;
  const auto& health = container.health;
  if (container.status == "paused") {
    check.output = "the container is paused";
  } else if (health.status == "starting") {
    check.output = "starting: no result of the health check yet";
  } else if (health.status == "healthy" || health.status == "unhealthy") {
    if (health.status == "healthy") check.status = registry::status::passing;
    if (!health.outputs.empty()) check.output = health.outputs.back().substr(0, max_check_output);
  } else {
    return std::nullopt;
  }
  check.name = docker_check_name;
  check.type = "docker";
  return check;
}

std::optional<registry::Check> defined_check(const docker::Container& container, const registry::Service& service,
                                             const std::map<std::string, std::string>& metadata,
                                             const std::string& node_address) {
  auto wanted = check_definition(metadata, service, node_address, container.id);
  registry::Check check;
  if (!wanted) {
    check.output = std::move(wanted).error().message;
  } else if (*wanted) {
    check.definition = std::move((*wanted)->definition);
    if (is_status((*wanted)->initial_status)) check.status = (*wanted)->initial_status;
  } else {
    return std::nullopt;
  }
  check.name = fmt::format("Service '{}' check", service.name);
  check.type = registry::type_name(check.definition.kind);
  return check;
}

}  // namespace

std::vector<registry::Check> checks_of(const docker::Container& container, const registry::Service& service,
                                       const std::map<std::string, std::string>& metadata,
                                       const std::string& node_address) {
  std::vector<registry::Check> checks;
  if (auto check = defined_check(container, service, metadata, node_address)) {
    check->id = id_alone(service.id);
    checks.push_back(std::move(*check));
  }
  if (auto check = docker_check(container)) {
    check->id = checks.empty() ? id_alone(service.id) : id_beside(service.id);
    checks.push_back(std::move(*check));
  }
  for (auto& check : checks) {
    check.service_id = service.id;
    check.service_name = service.name;
    check.service_tags = service.tags;
    check.agent_owned = true;
  }
  return checks;
}

std::vector<std::string> check_ids(const std::string& service_id) {
  return {id_alone(service_id), id_beside(service_id)};
}

bool differs(const registry::Check& wanted, const registry::Check& present) {
  if (wanted.name != present.name || wanted.type != present.type || wanted.definition != present.definition) {
    return true;
  }
  if (wanted.definition.kind != registry::CheckDefinition::Kind::none) return false;
  return wanted.status != present.status || (wanted.name != docker_check_name && wanted.output != present.output);
}

}  // namespace devstack::registrator
