#pragma once

#include <map>
#include <string>

#include "core/base/result.h"

namespace devstack {

/// Where devstack keeps its state: $DEVSTACK_STATE_DIR, else /var/lib/devstack for root, else
/// $XDG_STATE_HOME/devstack (~/.local/state/devstack). One appliance a state directory.
std::string state_dir();
/// Makes it if needed, so that others can neither list nor write it (0711).
Result<void> make_state_dir(const std::string& dir);

/// The running binary, to start itself again in the background.
std::string own_program();

/// This process's environment.
std::map<std::string, std::string> environment();

/// How the processes of one state directory find each other.
struct StatePaths {
  explicit StatePaths(std::string dir) : root(std::move(dir)) {}
  std::string root;
  [[nodiscard]] std::string control_socket() const { return root + "/control.sock"; }
  [[nodiscard]] std::string lock() const { return root + "/lock"; }
  [[nodiscard]] std::string log() const { return root + "/devstack.log"; }
  /// What the units of a project print; see core/logs/keeper.h.
  [[nodiscard]] std::string logs(const std::string& project) const { return root + "/logs/" + project; }
  [[nodiscard]] std::string programs() const { return root + "/bin"; }
  [[nodiscard]] std::string proxy() const { return root + "/proxy"; }
  /// A folder for each project that is up here: load.json, processes.json.
  [[nodiscard]] std::string projects() const { return root + "/projects"; }
  /// What `up -f -` read, for the supervisor that it started.
  [[nodiscard]] std::string standard_input(const std::string& project) const {
    return root + "/stdin-" + project + ".yaml";
  }
};

}  // namespace devstack
