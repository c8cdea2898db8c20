#include "core/control/status_json.h"

#include <array>
#include <boost/json.hpp>

namespace devstack::control {
namespace {

namespace json = boost::json;
using supervisor::DiscoveredService;
using supervisor::ProjectStatus;
using supervisor::Status;
using supervisor::UnitState;
using supervisor::UnitStatus;
using supervisor::UnitType;

constexpr std::array kStates{UnitState::pending,   UnitState::waiting, UnitState::starting,  UnitState::running,
                             UnitState::unhealthy, UnitState::backoff, UnitState::completed, UnitState::failed,
                             UnitState::stopping,  UnitState::stopped};
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

template <class Values, class Function>
json::array each(const Values& values, Function to_object) {
  json::array out;
  out.reserve(values.size());
  for (const auto& value : values) out.emplace_back(to_object(value));
  return out;
}

/// Reads the fields of one object; keeps the first complaint and then does nothing more.
class Reader {
 public:
  Reader(const json::value& value, std::string where, std::string& complaint)
      : object_(value.if_object()), where_(std::move(where)), complaint_(complaint) {
    if (object_ == nullptr) complain("", "an object");
  }

  void read(std::string_view name, std::string& into) {
    const auto* value = find(name);
    if (value == nullptr) return;
    if (const auto* text = value->if_string()) {
      into.assign(text->data(), text->size());
    } else {
      complain(name, "a string");
    }
  }
  void read(std::string_view name, bool& into) {
    const auto* value = find(name);
    if (value == nullptr) return;
    if (const auto* flag = value->if_bool()) {
      into = *flag;
    } else {
      complain(name, "a boolean");
    }
  }
  template <class Integer>
  requires std::is_integral_v<Integer>
  void read(std::string_view name, Integer& into) {
    const auto* value = find(name);
    if (value == nullptr) return;
    boost::system::error_code wrong;
    const auto number = value->to_number<Integer>(wrong);
    if (wrong) return complain(name, "a number");
    into = number;
  }
  void read(std::string_view name, std::vector<std::string>& into) {
    for (const auto& value : array(name)) {
      if (const auto* text = value.if_string()) {
        into.emplace_back(text->data(), text->size());
      } else {
        complain(name, "an array of strings");
      }
    }
  }
  template <class Enum, std::size_t N>
  void read(std::string_view name, const std::array<Enum, N>& known, Enum& into) {
    std::string text;
    read(name, text);
    for (const auto candidate : known) {
      if (to_string(candidate) == text) into = candidate;
    }
  }
  template <class Value, class Function>
  void read_each(std::string_view name, std::vector<Value>& into, Function read_one) {
    std::size_t index = 0;
    for (const auto& value : array(name)) {
      Reader inner(value, fmt::format("{}{}[{}].", where_, name, index++), complaint_);
      read_one(inner, into.emplace_back());
    }
  }

 private:
  [[nodiscard]] const json::value* find(std::string_view name) const {
    return object_ == nullptr ? nullptr : object_->if_contains(name);
  }
  [[nodiscard]] const json::array& array(std::string_view name) {
    static const json::array none;
    const auto* value = find(name);
    if (value == nullptr) return none;
    if (const auto* found = value->if_array()) return *found;
    complain(name, "an array");
    return none;
  }
  void complain(std::string_view name, std::string_view wanted) {
    if (!complaint_.empty()) return;
    const auto path = where_ + std::string(name);
    complaint_ = fmt::format("{} is not {}", path.empty() ? "the document" : path, wanted);
  }

  const json::object* object_;
  std::string where_;
  std::string& complaint_;
};

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
