#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/docker/ignore.h"
#include "core/stack/service_spec.h"

/// What is to be done when files change, as `develop.watch` of the services says it. Pure.
/// https://docs.docker.com/reference/compose-file/develop/
namespace devstack::supervisor {

/// An entry of a service's develop.watch, and all that keeps a path from concerning it.
struct DevelopRule {
  std::string service;
  stack::WatchRule trigger;
  docker::IgnoreRules ignore, include;  ///< of the entry, and editors' files; relative to `trigger.path`
  std::string context;                  ///< the build's folder; "" where nothing is built of one
  docker::IgnoreRules context_ignore;   ///< its .dockerignore

  [[nodiscard]] bool syncs() const { return trigger.action.starts_with("sync"); }
  /// Whether a change of `path` (absolute) sets it off.
  [[nodiscard]] bool concerns(const std::string& path) const;
  /// Whether something that concerns it may be below the folder `path`.
  [[nodiscard]] bool looks_into(const std::string& path) const;
  /// Where a path that concerns it stands in the container.
  [[nodiscard]] std::string place_of(const std::string& path) const;

 private:
  [[nodiscard]] bool ignores(const std::string& path) const;
};

struct DevelopRules {
  std::vector<DevelopRule> rules;
  stack::Texts warnings;  ///< of entries that are left out: what they would sync is mounted
};
/// `context_ignore`: of the service's build.
DevelopRules develop_rules(const stack::ServiceSpec& service, const docker::IgnoreRules& context_ignore);

/// The build's folder here; "" for a service without one.
std::string build_folder(const stack::ServiceSpec& service);

/// Whether a container of the service has the path itself, by a mount.
bool bind_mounted(const std::string& path, const stack::ServiceSpec& service);

struct SyncedPath {
  std::string from;  ///< absolute, here
  std::string to;    ///< absolute, in the container
  friend bool operator==(const SyncedPath&, const SyncedPath&) = default;
};

/// What a number of changes asks for, by service: in this order, rebuilding, copying, restarting, running commands.
struct DevelopBatch {
  std::set<std::string> rebuild;
  std::map<std::string, std::vector<SyncedPath>> sync;
  std::set<std::string> restart;
  std::map<std::string, std::vector<stack::Hook>> exec;  ///< each entry's command once, in the order of the entries

  [[nodiscard]] bool empty() const { return rebuild.empty() && sync.empty() && restart.empty() && exec.empty(); }
};
/// The paths are absolute and have changed, or are gone.
DevelopBatch develop_batch(const std::vector<DevelopRule>& rules, const std::set<std::string>& paths);

}  // namespace devstack::supervisor
