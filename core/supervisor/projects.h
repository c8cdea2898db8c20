#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/supervisor/supervisor.h"

namespace devstack::supervisor {

/// The projects that are up side by side on one set of components: a Supervisor each, and one that has the components
/// alone. Seen from outside they are one stack, whose units are named PROJECT/NAME as soon as there is a second
/// project. Loop thread.
class Projects {
 public:
  /// Makes a supervisor for a project ("" for the components); its options' on_change must be the given one.
  using Make = std::function<std::unique_ptr<Supervisor>(const std::string& project, std::function<void()> on_change)>;
  Projects(asio::any_io_executor loop, Make make);
  ~Projects();

  /// Runs no services.
  Supervisor& components() { return *components_; }
  /// That of a project; made when there is none.
  Supervisor& project(const std::string& name);
  [[nodiscard]] Supervisor* find(const std::string& name) const;
  /// In the order in which they came up.
  [[nodiscard]] std::vector<std::string> names() const;

  [[nodiscard]] Status status() const;
  /// Of one project, "" for the first; Errc::not_found names those there are.
  [[nodiscard]] Result<Startup> startup(const std::string& project) const;
  /// Bumps when status() would say something else.
  Signal& changed() { return *changed_; }

  /// By PROJECT/NAME, or by NAME where only one project has it (Errc::conflict names those that do); also components.
  asio::awaitable<Result<void>> stop_unit(std::string name, std::optional<std::chrono::seconds> grace = std::nullopt);
  asio::awaitable<Result<void>> start_unit(std::string name);
  asio::awaitable<Result<void>> restart_unit(std::string name, std::optional<std::chrono::seconds> grace = std::nullopt,
                                             Restart which = Restart::with_dependents);
  asio::awaitable<Result<void>> pause_unit(std::string name);
  asio::awaitable<Result<void>> resume_unit(std::string name);
  asio::awaitable<Result<void>> signal_unit(std::string name, std::string signal);
  asio::awaitable<Result<void>> remove_unit(std::string name, bool volumes = false);
  [[nodiscard]] std::string log_file(const std::string& unit) const;

  /// Called when a project is down, before its supervisor goes; may be called twice.
  std::function<asio::awaitable<void>(std::string project)> on_down;
  /// Takes one project down and forgets it; the components and the others run on. Errc::not_found names those there
  /// are.
  asio::awaitable<Result<void>> down(std::string project, DownOptions options);
  /// All projects, the last to come first, then the components. What could not be removed of one stops none of the
  /// rest.
  asio::awaitable<Result<void>> down_all(DownOptions options);
  /// Ends supervision and leaves services running: the next start re-adopts them.
  asio::awaitable<void> detach();

 private:
  struct Project {
    std::string name;
    std::shared_ptr<Supervisor> supervisor;
  };
  struct Target {
    std::shared_ptr<Supervisor> supervisor;
    std::string unit;
  };
  [[nodiscard]] Result<Target> resolve(const std::string& name) const;
  [[nodiscard]] Error not_up(const std::string& project) const;
  [[nodiscard]] bool several() const { return projects_.size() > 1; }

  Make make_;
  std::shared_ptr<Signal> changed_;  ///< supervisors that end later still bump it
  std::shared_ptr<Supervisor> components_;
  std::vector<Project> projects_;
  bool stopping_ = false;  ///< down_all() has begun
};

}  // namespace devstack::supervisor
