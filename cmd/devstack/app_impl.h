#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cmd/devstack/app.h"
#include "cmd/devstack/app_parts.h"
#include "cmd/devstack/changes.h"
#include "cmd/devstack/log_keeping.h"
#include "core/base/async/task_group.h"
#include "core/net/interfaces.h"

namespace devstack {

/// The inside of the composition root, shared by app.cc (start and end) and app_changes.cc (another stack file).
struct App::Impl {
  Impl(asio::io_context& io, AppOptions given)
      : loop(io.get_executor()),
        options(std::move(given)),
        finished(loop),
        interfaces(loop),
        tasks(loop),
        engine(loop, docker::Client::connect_to().value_or(docker::Client(http::Target::unix_socket("/nonexistent")))) {
  }

  // The supervisor's units point into the components of `parts`, and `logs` looks at it.
  ~Impl() {
    logs.reset();
    supervisor.reset();
  }

  asio::any_io_executor loop;
  AppOptions options;
  Signal finished;
  std::vector<std::string> notices;
  net::InterfaceWatcher interfaces;
  TaskGroup tasks;
  docker::EngineWatcher engine;
  Ports ports;
  std::unique_ptr<registry::Registry> registry;
  std::unique_ptr<supervisor::Supervisor> supervisor;
  std::unique_ptr<LogKeeping> logs;
  bool forget_logs = false;
  bool follows_files = false;
  std::unique_ptr<Parts> parts;  ///< the components and what serves the control socket

  asio::awaitable<Result<void>> open_registry();
  asio::awaitable<Result<void>> bring_up(App& app);
  asio::awaitable<void> take_down_parts();
  asio::awaitable<void> follow_interfaces();
  [[nodiscard]] stack::EngineAvailable engine_available() const {
    return engine.state().up ? stack::EngineAvailable::yes : stack::EngineAvailable::no;
  }
  /// The units that do not run and that an `up` starts.
  [[nodiscard]] std::set<std::string> idle_units() const;
  struct Wanted {
    stack::LoadOptions load;
    UpChoice choice;
    stack::StackFile file;
    stack::Plan plan;
    std::vector<UnitChange> changes;
  };
  [[nodiscard]] Result<Wanted> wanted(const std::string& request) const;
  /// Once: changes of the files that the stack is read from are applied.
  void start_watching(App& app);
  asio::awaitable<void> follow_files(App& app);
  void make_supervisor();
  Result<void> make_parts(App& app);
};

}  // namespace devstack
