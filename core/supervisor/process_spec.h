#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/process/child.h"
#include "core/registry/registry.h"
#include "core/stack/plan.h"

/// What a planned host process becomes: its command and environment, and its entry in the registry. Pure but for
/// reading our own environment, which is passed in.
namespace devstack::supervisor {

struct ProcessContext {
  std::string project;
  std::string project_dir;                       ///< relative working directories are below it
  std::string path;                              ///< PATH of the process
  std::string host;                              ///< HOST of a process with a port: where it should listen; "" = unset
  std::map<std::string, std::string> inherited;  ///< HOME, USER, LANG …, as we have them
};

/// The few variables of ours that host processes get: HOME USER LOGNAME SHELL LANG LC_ALL TZ TMPDIR.
std::map<std::string, std::string> inherited_environment();

/// `port` 0 = none: no PORT. The log file is the caller's. `${PORT}` in the command's words is replaced.
process::Spec process_spec(const stack::PlannedUnit& unit, const ProcessContext& context, std::uint16_t port);

/// `stop_command` in the process's own folder, environment and account; its pid is $PID, and `$PID` or `${PID}` in
/// words.
process::Spec stop_spec(const stack::PlannedUnit& unit, const ProcessContext& context, std::uint16_t port, pid_t pid);

/// Whose entries of the registry are a project's: Service::source.
std::string registry_source(const std::string& project);

/// The registry entry, or nothing for a process without a port or with SERVICE_IGNORE. Name, tags and id may be set by
/// Registrator's SERVICE_NAME, SERVICE_TAGS and SERVICE_ID in labels or environment (environment wins).
std::optional<registry::Service> process_service(const stack::PlannedUnit& unit, const std::string& project,
                                                 const registry::Identity& identity, std::uint16_t port);

/// Whether the unit has a health check that a host process can run.
bool has_command_check(const stack::ServiceSpec& spec);

}  // namespace devstack::supervisor
