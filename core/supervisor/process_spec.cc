#include "core/supervisor/process_spec.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "core/health/probe.h"

namespace devstack::supervisor {
namespace {

void replace_all(std::string& text, std::string_view from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

std::string setting(const stack::ServiceSpec& spec, const std::string& key) {
  if (const auto at = spec.environment.find(key); at != spec.environment.end()) return at->second;
  if (const auto at = spec.labels.find(key); at != spec.labels.end()) return at->second;
  return {};
}

std::vector<std::string> split_commas(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= text.size() && !text.empty()) {
    const auto end = std::min(text.find(',', begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace

std::map<std::string, std::string> inherited_environment() {
  std::map<std::string, std::string> found;
  for (const char* key : {"HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR"}) {
    if (const char* value = std::getenv(key)) found.emplace(key, value);
  }
  return found;
}

process::Spec process_spec(const stack::PlannedUnit& unit, const ProcessContext& context, std::uint16_t port) {
  process::Spec spec;
  if (unit.spec.process) spec.argv = unit.spec.process->command;
  spec.env = context.inherited;
  if (!unit.spec.user.empty()) {
    for (const char* own : {"HOME", "USER", "LOGNAME", "SHELL"}) spec.env.erase(own);
  }
  spec.env["PATH"] = context.path;
  spec.env["DEVSTACK_PROJECT"] = context.project;
  spec.env["DEVSTACK_SERVICE"] = unit.service;
  spec.env["DEVSTACK_UNIT"] = unit.name;
  if (port != 0 && !context.host.empty()) spec.env["HOST"] = context.host;
  for (const auto& [key, value] : unit.spec.environment) spec.env[key] = value;
  if (port != 0) {
    spec.env["PORT"] = std::to_string(port);
    for (auto& word : spec.argv) replace_all(word, "${PORT}", spec.env["PORT"]);
    for (auto& [key, value] : spec.env) replace_all(value, "${PORT}", spec.env["PORT"]);
  }
  spec.working_dir = context.project_dir;
  if (!unit.spec.working_dir.empty()) {
    const auto dir = std::filesystem::path(context.project_dir) / unit.spec.working_dir;
    spec.working_dir = dir.lexically_normal().string();
  }
  spec.user = unit.spec.user;
  return spec;
}

process::Spec stop_spec(const stack::PlannedUnit& unit, const ProcessContext& context, std::uint16_t port, pid_t pid) {
  process::Spec spec = process_spec(unit, context, port);
  if (unit.spec.process) spec.argv = unit.spec.process->stop_command;
  const std::string number = std::to_string(pid);
  for (auto& word : spec.argv) {
    if (word == "$PID") word = number;
    replace_all(word, "${PID}", number);
    if (port != 0) replace_all(word, "${PORT}", std::to_string(port));
  }
  spec.env["PID"] = number;
  return spec;
}

std::string registry_source(const std::string& project) { return "supervisor/" + project; }

std::optional<registry::Service> process_service(const stack::PlannedUnit& unit, const std::string& project,
                                                 const registry::Identity& identity, std::uint16_t port) {
  if (port == 0 || !setting(unit.spec, "SERVICE_IGNORE").empty()) return std::nullopt;
  registry::Service service;
  service.node = identity.node;
  service.name = setting(unit.spec, "SERVICE_NAME");
  if (service.name.empty()) service.name = unit.service;
  service.id = setting(unit.spec, "SERVICE_ID");
  if (service.id.empty()) service.id = fmt::format("{}:{}:{}", identity.node, unit.name, port);
  service.tags = split_commas(setting(unit.spec, "SERVICE_TAGS"));
  service.address = identity.address.empty() ? "127.0.0.1" : identity.address;
  service.port = port;
  service.agent_owned = true;
  service.source = registry_source(project);
  return service;
}

bool has_command_check(const stack::ServiceSpec& spec) {
  return spec.healthcheck && !health::command_of(spec.healthcheck->test).empty();
}

}  // namespace devstack::supervisor
