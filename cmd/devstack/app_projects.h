#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cmd/devstack/log_keeping.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/up_choice.h"
#include "core/dns/server.h"
#include "core/docker/engine_watcher.h"
#include "core/registry/registry.h"
#include "core/stack/stack_file.h"
#include "core/supervisor/projects.h"
#include "core/template/template_sets.h"

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
  /// The component that renders every project's templates.
  std::function<templates::TemplateSets&()> templates;
  std::function<dns::DnsServer*()> dns;  ///< which may be off
};

class AppProjects {
 public:
  explicit AppProjects(ProjectsInput input);

  supervisor::Projects& all() { return projects_; }

  /// Brings up a project that is not up yet, or what changed in one that is. One line a change, and one for settings of
  /// components that this project does not get because another's are used.
  asio::awaitable<Result<std::string>> apply(stack::LoadOptions load, UpChoice choice, stack::StackFile file);
  /// What a request (up_choice.h) wants: the files that it names, or those of a project as they are now.
  struct Loaded {
    stack::LoadOptions load;
    UpChoice choice;
    stack::StackFile file;
  };
  [[nodiscard]] Result<Loaded> read(const std::string& request) const;
  /// What apply() would do, as changes.h writes it; "" means the first project as it was asked for last.
  [[nodiscard]] Result<std::string> plan(const std::string& request) const;
  /// The projects whose files are to be followed, as they were read last.
  [[nodiscard]] std::vector<std::pair<stack::LoadOptions, stack::StackFile>> followed() const;
  /// Reads the files of all projects again, with what was asked for last but for what was to be done once. One line a
  /// change.
  asio::awaitable<Result<std::string>> reload();
  /// Brings up, after a crash, the projects beside `own` that were up then. One whose file cannot be read is left as it
  /// is, and the log says so.
  asio::awaitable<void> take_back(std::string own);

  /// Whether taking `project` down leaves others up.
  [[nodiscard]] bool leaves_others(const std::string& project) const;
  asio::awaitable<Result<void>> down(std::string project, supervisor::DownOptions options);
  asio::awaitable<Result<void>> down_all(supervisor::DownOptions options);
  /// Before the engine is stopped: keeps what was printed until then.
  asio::awaitable<void> stop_logs();

 private:
  std::unique_ptr<supervisor::Supervisor> make(const std::string& project, std::function<void()> on_change);
  [[nodiscard]] Result<stack::Plan> plan_of(stack::StackFile& file, const UpChoice& choice) const;
  [[nodiscard]] const stack::Plan& running(const std::string& project) const;
  [[nodiscard]] std::set<std::string> idle_units(const std::string& project) const;
  asio::awaitable<void> wait_gone(std::string project);
  asio::awaitable<void> end_project(std::string project);
  asio::awaitable<void> end_logs(std::string project);
  [[nodiscard]] templates::TemplaterOptions templates_of(const stack::StackFile& file,
                                                         const stack::LoadOptions& load) const;
  asio::awaitable<void> drain(std::string project, std::string unit, std::string container);

  ProjectsInput input_;
  StatePaths paths_;
  std::map<std::string, Loaded> loaded_;
  supervisor::Projects projects_;
  std::set<std::string> forget_logs_;                        ///< their kept logs go with them
  std::map<std::string, std::unique_ptr<LogKeeping>> logs_;  ///< by project; they look at its supervisor
};

}  // namespace devstack
