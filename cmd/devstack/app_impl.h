#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cmd/devstack/app.h"
#include "cmd/devstack/app_parts.h"
#include "cmd/devstack/app_projects.h"
#include "core/base/async/directory_watch.h"
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

  ~Impl() { projects.reset(); }  // its units point into the components of `parts`

  asio::any_io_executor loop;
  AppOptions options;
  Signal finished;
  std::vector<std::string> notices;
  net::InterfaceWatcher interfaces;
  TaskGroup tasks;
  docker::EngineWatcher engine;
  Ports ports;
  std::unique_ptr<registry::Registry> registry;
  std::unique_ptr<AppProjects> projects;
  std::unique_ptr<DirectoryWatch> files;  ///< of the projects that are to follow their files
  std::unique_ptr<Parts> parts;           ///< the components and what serves the control socket

  asio::awaitable<Result<void>> open_registry();
  asio::awaitable<Result<void>> bring_up(App& app);
  asio::awaitable<void> take_down_parts();
  asio::awaitable<void> follow_interfaces();
  [[nodiscard]] stack::EngineAvailable engine_available() const {
    return engine.state().up ? stack::EngineAvailable::yes : stack::EngineAvailable::no;
  }
  /// Changes of the files that projects are read from are applied, where their `up` asked for that.
  void follow_files(App& app);
  asio::awaitable<void> apply_changed_files(App& app);
  void make_projects();
  Result<void> make_parts(App& app);
};

}  // namespace devstack
