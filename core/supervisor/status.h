#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What the supervisor tells about itself: the document behind `devstack status --json`, the status page and its live
/// events. A value; any thread. JSON form: core/control/status_json.h.
namespace devstack::supervisor {

enum class UnitState {
  pending,    ///< not yet its turn
  waiting,    ///< for a dependency, named in `detail`
  starting,   ///< started, not yet ready or healthy
  running,    ///< up; healthy if it has a health check
  unhealthy,  ///< up, but its health check fails
  paused,     ///< up, but held: containers by the engine, processes by SIGSTOP; not checked meanwhile
  backoff,    ///< ended, will be started again
  completed,  ///< ended with 0 and is not to be restarted
  failed,     ///< ended or could not start, and is not to be restarted
  stopping,
  stopped,
};
std::string_view to_string(UnitState state);
/// Good enough for `up` to return 0: running or completed.
bool settled_well(UnitState state);
/// Will not change by itself: running, paused, completed, failed, stopped.
bool settled(UnitState state);

enum class UnitType { component, container, process };
std::string_view to_string(UnitType type);

struct UnitStatus {
  std::string name;     ///< "dns", "hello", "hello-2"; "demo/hello" while several projects are up
  std::string service;  ///< "hello"; "" for components
  std::string project;  ///< "demo"; "" for components
  UnitType type = UnitType::component;
  UnitState state = UnitState::pending;
  std::string health;  ///< "", starting, healthy, unhealthy
  std::string detail;  ///< one line: what it waits for, why it failed and what to do
  std::vector<std::string> addresses;
  std::vector<std::string> links;
  std::string id;  ///< container id (12 characters) or pid
  int restarts = 0;
  std::int64_t started_at = 0;  ///< Unix seconds; 0 = not running
  int exit_code = 0;
  bool degraded = false;
};

/// A service that the registry knows and the stack does not have: a container of `docker run`, a registration by hand.
struct DiscoveredService {
  std::string name;
  int instances = 0;
  int passing = 0;     ///< of `instances`
  std::string status;  ///< the worst instance's: passing, warning, critical, maintenance
  std::vector<std::string> tags;
  std::vector<std::string> addresses;  ///< "172.17.0.5:80", one an instance
  std::vector<std::string> links;
};

/// One of the projects that are up side by side.
struct ProjectStatus {
  std::string name;
  std::vector<std::string> files;  ///< absolute: what it was read from
  bool healthy = false;            ///< every unit of it settled_well
  int services = 0;                ///< its units
};

struct Status {
  std::string version;
  std::string project;  ///< the first, where there are several
  std::string stack_file;
  std::string node;
  std::int64_t pid = 0;
  std::int64_t started_at = 0;
  std::string docker;  ///< "20.10.24", or "" and why in `docker_detail`
  std::string docker_detail;
  bool stopping = false;
  bool converging = false;  ///< what was asked for last is not begun for every unit yet
  bool healthy = false;     ///< every unit settled_well
  std::vector<UnitStatus> components;
  std::vector<UnitStatus> services;
  std::vector<ProjectStatus> projects;
  std::vector<DiscoveredService> discovered;  ///< filled by core/control, not by the supervisor
};

/// What concerns one project: the components and its own units, by their own names; none of one that is not up. As it
/// is for the project "".
Status of_project(Status status, const std::string& project);

}  // namespace devstack::supervisor
