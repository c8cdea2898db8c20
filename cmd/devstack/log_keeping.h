#pragma once

#include <memory>
#include <string>

#include "core/base/async/task_group.h"
#include "core/docker/engine_watcher.h"
#include "core/logs/keeper.h"
#include "core/supervisor/supervisor.h"

namespace devstack {

/// The container logs of an engine, as the keeper wants them.
logs::ContainerLog engine_logs(docker::EngineWatcher& engine);

/// Keeps what the units of a supervisor print, whichever they are at the time. Loop thread; `engine` and `supervisor`
/// outlive it, and stop() comes before its end.
class LogKeeping {
 public:
  LogKeeping(const asio::any_io_executor& loop, const std::string& dir, docker::EngineWatcher& engine,
             supervisor::Supervisor& supervisor);

  asio::awaitable<void> drain(std::string unit, std::string container);
  asio::awaitable<void> stop();

 private:
  asio::awaitable<void> follow_units();

  supervisor::Supervisor& supervisor_;
  logs::LogKeeper keeper_;
  TaskGroup tasks_;
};

}  // namespace devstack
