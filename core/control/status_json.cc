#include "core/control/status_json.h"

#include <array>

#include "core/control/json_reader.h"

namespace devstack::control {
namespace {

namespace json = boost::json;
using supervisor::DiscoveredService;
using supervisor::ProjectStatus;
using supervisor::Status;
using supervisor::UnitState;
using supervisor::UnitStatus;
using supervisor::UnitType;

constexpr std::array kStates{UnitState::pending,   UnitState::waiting,  UnitState::starting, UnitState::running,
                             UnitState::unhealthy, UnitState::paused,   UnitState::backoff,  UnitState::completed,
                             UnitState::failed,    UnitState::stopping, UnitState::stopped};
constexpr std::array kTypes{UnitType::component, UnitType::container, UnitType::process};

json::array strings(const std::vector<std::string>& values) { return json::array(values.begin(), values.end()); }

json::object unit(const UnitStatus& value) {
  return {{"name", value.name},
          {"service", value.service},
          {"project", value.project},
          {"type", to_string(value.type)},
          {"state", to_string(value.state)},
          {"health", value.health},
          {"detail", value.detail},
          {"addresses", strings(value.addresses)},
          {"links", strings(value.links)},
          {"id", value.id},
          {"restarts", value.restarts},
          {"started_at", value.started_at},
          {"exit_code", value.exit_code},
          {"degraded", value.degraded}};
}

json::object discovered(const DiscoveredService& value) {
  return {{"name", value.name},           {"instances", value.instances}, {"passing", value.passing},
          {"status", value.status},       {"tags", strings(value.tags)},  {"addresses", strings(value.addresses)},
          {"links", strings(value.links)}};
}

json::object project(const ProjectStatus& value) {
  return {
      {"name", value.name}, {"files", strings(value.files)}, {"healthy", value.healthy}, {"services", value.services}};
}

void read_unit(Reader& in, UnitStatus& unit) {
  in.read("name", unit.name);
  in.read("service", unit.service);
  in.read("project", unit.project);
  in.read("type", kTypes, unit.type);
  in.read("state", kStates, unit.state);
  in.read("health", unit.health);
  in.read("detail", unit.detail);
  in.read("addresses", unit.addresses);
  in.read("links", unit.links);
  in.read("id", unit.id);
  in.read("restarts", unit.restarts);
  in.read("started_at", unit.started_at);
  in.read("exit_code", unit.exit_code);
  in.read("degraded", unit.degraded);
}

void read_project(Reader& in, ProjectStatus& project) {
  in.read("name", project.name);
  in.read("files", project.files);
  in.read("healthy", project.healthy);
  in.read("services", project.services);
}

void read_discovered(Reader& in, DiscoveredService& service) {
  in.read("name", service.name);
  in.read("instances", service.instances);
  in.read("passing", service.passing);
  in.read("status", service.status);
  in.read("tags", service.tags);
  in.read("addresses", service.addresses);
  in.read("links", service.links);
}

}  // namespace

std::string to_json(const Status& status) {
  return json::serialize(json::object{{"version", status.version},
                                      {"project", status.project},
                                      {"stack_file", status.stack_file},
                                      {"node", status.node},
                                      {"pid", status.pid},
                                      {"started_at", status.started_at},
                                      {"docker", status.docker},
                                      {"docker_detail", status.docker_detail},
                                      {"stopping", status.stopping},
                                      {"converging", status.converging},
                                      {"healthy", status.healthy},
                                      {"components", each(status.components, unit)},
                                      {"services", each(status.services, unit)},
                                      {"projects", each(status.projects, project)},
                                      {"discovered", each(status.discovered, discovered)}});
}

Result<Status> status_from_json(std::string_view text) {
  boost::system::error_code broken;
  const auto document = json::parse(text, broken);
  if (broken) return fail(Errc::parse, "the status is not JSON: {}", broken.message());
  std::string complaint;
  Status status;
  Reader in(document, "", complaint);
  in.read("version", status.version);
  in.read("project", status.project);
  in.read("stack_file", status.stack_file);
  in.read("node", status.node);
  in.read("pid", status.pid);
  in.read("started_at", status.started_at);
  in.read("docker", status.docker);
  in.read("docker_detail", status.docker_detail);
  in.read("stopping", status.stopping);
  in.read("converging", status.converging);
  in.read("healthy", status.healthy);
  in.read_each("components", status.components, read_unit);
  in.read_each("services", status.services, read_unit);
  in.read_each("projects", status.projects, read_project);
  in.read_each("discovered", status.discovered, read_discovered);
  if (!complaint.empty()) return fail(Errc::parse, "the status cannot be read: {}", complaint);
  return status;
}

}  // namespace devstack::control
