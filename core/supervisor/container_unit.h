#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>

#include "core/base/async/signal.h"
#include "core/base/async/task_group.h"
#include "core/docker/engine_watcher.h"
#include "core/stack/plan.h"
#include "core/supervisor/backend.h"
#include "core/supervisor/container_spec.h"
#include "core/supervisor/supervisor.h"

namespace devstack::supervisor {

/// What all container units of a supervisor share; it outlives them.
struct ContainerShared {
  explicit ContainerShared(const asio::any_io_executor& loop, docker::EngineWatcher& watcher,
                           const SupervisorOptions& supervisor)
      : executor(loop), engine(watcher), options(supervisor), network_turn(loop) {}
  asio::any_io_executor executor;
  docker::EngineWatcher& engine;
  const SupervisorOptions& options;
  std::string project;
  std::string network;
  bool network_busy = false;  ///< the engine would make two networks of one name
  Signal network_turn;

  [[nodiscard]] ContainerContext context() const;
  /// Errc::docker_unreachable with the reason while the engine is down.
  [[nodiscard]] Result<void> reachable() const;
  /// Makes the project's network unless it is there.
  asio::awaitable<Result<void>> ensure_network();
  /// Removes the project's network; ok when there is none.
  asio::awaitable<Result<void>> remove_network();
};

/// A container as a unit, found by its name and our labels. The engine keeps no restart policy for it.
class ContainerUnit final : public Backend {
 public:
  ContainerUnit(ContainerShared& shared, stack::PlannedUnit unit);
  ~ContainerUnit() override;
  asio::awaitable<std::optional<UnitEvent>> adopt() override;
  asio::awaitable<Result<UnitEvent>> launch() override;
  asio::awaitable<Result<void>> halt(Grace grace) override;
  asio::awaitable<Result<void>> remove() override;
  asio::awaitable<Result<void>> signal(int number) override;
  asio::awaitable<void> detach() override;
  void reconcile() override;
  void describe(UnitStatus& status) const override;

  /// An engine event about a container of this unit.
  void on_engine_event(const docker::Event& event);

 private:
  asio::awaitable<Result<std::optional<docker::Container>>> find();
  asio::awaitable<Result<void>> ensure_image();
  asio::awaitable<Result<void>> create();
  asio::awaitable<Result<UnitEvent>> bring_up();
  asio::awaitable<void> look(bool engine_was_away);
  [[nodiscard]] bool ours(const docker::Container& container) const;
  UnitEvent up_event(UnitEvent::Kind kind, const docker::Container& container);
  UnitEvent exit_event(const docker::Container& container) const;

  ContainerShared& shared_;
  stack::PlannedUnit unit_;
  std::string name_;
  std::string id_;
  std::vector<std::string> addresses_;
  std::int64_t started_at_ = 0;
  bool launching_ = false;  ///< what a look sees now may be what was before
  TaskGroup looks_;
};

}  // namespace devstack::supervisor
