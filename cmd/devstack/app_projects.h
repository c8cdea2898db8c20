#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "cmd/devstack/log_keeping.h"
#include "cmd/devstack/paths.h"
#include "core/docker/engine_watcher.h"
#include "core/registry/registry.h"
#include "core/stack/stack_file.h"
#include "core/supervisor/projects.h"

/// The projects of one appliance: the first came with the components, others join it. Used by app.cc alone. Loop
/// thread.
namespace devstack {

struct ProjectsInput {
  asio::any_io_executor loop;
  const stack::StackFile& components;  ///< the file whose settings the components have
  std::string state_dir;
  docker::EngineWatcher& engine;
  registry::Registry& registry;
  /// Adds to a project's options what needs the running appliance.
  std::function<void(supervisor::SupervisorOptions&)> complete;
};

class AppProjects {
 public:
  explicit AppProjects(ProjectsInput input);

  supervisor::Projects& all() { return projects_; }

  /// Brings up a project that is not up yet, or what changed in one that is. One line a change, and one for settings of
  /// components that this project does not get because another's are used.
  asio::awaitable<Result<std::string>> apply(stack::LoadOptions load, stack::StackFile file);
  /// Reads the files of all projects again. One line a change.
  asio::awaitable<Result<std::string>> reload();
  /// Brings up, after a crash, the projects beside `own` that were up then. One whose file cannot be read is left as it
  /// is, and the log says so.
  asio::awaitable<void> take_back(std::string own);

  /// Whether taking `project` down leaves others up.
  [[nodiscard]] bool leaves_others(const std::string& project) const;
  asio::awaitable<Result<void>> down(std::string project, std::optional<std::chrono::seconds> grace);
  asio::awaitable<Result<void>> down_all(std::optional<std::chrono::seconds> grace);
  /// Before the engine is stopped: keeps what was printed until then.
  asio::awaitable<void> stop_logs();

 private:
  struct Loaded {
    stack::LoadOptions load;
    stack::StackFile file;
  };
  std::unique_ptr<supervisor::Supervisor> make(const std::string& project, std::function<void()> on_change);
  [[nodiscard]] Result<stack::Plan> plan_of(const stack::StackFile& file) const;
  asio::awaitable<void> wait_gone(std::string project);
  asio::awaitable<void> end_logs(std::string project);
  asio::awaitable<void> drain(std::string project, std::string unit, std::string container);

  ProjectsInput input_;
  StatePaths paths_;
  std::map<std::string, Loaded> loaded_;
  supervisor::Projects projects_;
  std::map<std::string, std::unique_ptr<LogKeeping>> logs_;  ///< by project; they look at its supervisor
};

}  // namespace devstack
