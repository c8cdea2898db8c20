#pragma once

#include <functional>
#include <memory>

#include "core/base/async/task_group.h"
#include "core/supervisor/backend.h"
#include "core/supervisor/container_shared.h"

namespace devstack::supervisor {

/// When a container that is there is replaced by a new one.
enum class Recreate { when_changed, always, never };

/// A container as a unit, found by its name and our labels. The engine keeps no restart policy for it. One that is not
/// as planned is replaced: the new one is made first, under a temporary name, then the old one stopped and removed.
class ContainerUnit final : public Backend {
 public:
  struct Options {
    Recreate recreate = Recreate::when_changed;  ///< of the first launch
    bool renew_volumes = false;                  ///< the replacement begins with empty anonymous volumes
  };
  ContainerUnit(ContainerShared& shared, stack::PlannedUnit unit, Options options);
  ~ContainerUnit() override;
  asio::awaitable<std::optional<UnitEvent>> adopt() override;
  asio::awaitable<Result<UnitEvent>> launch() override;
  asio::awaitable<Result<void>> halt(Grace grace) override;
  asio::awaitable<Result<void>> kill() override;
  asio::awaitable<Result<void>> remove() override;
  asio::awaitable<Result<void>> signal(int number) override;
  asio::awaitable<Result<void>> pause() override;
  asio::awaitable<Result<void>> resume() override;
  asio::awaitable<Result<void>> create() override;
  void plan_again(stack::PlannedUnit unit) override { planned_again_ = std::move(unit); }
  asio::awaitable<void> detach() override;
  void reconcile() override;
  void describe(UnitStatus& status) const override;

  /// An engine event about a container of this unit.
  void on_engine_event(const docker::Event& event);
  /// Also with its anonymous volumes.
  asio::awaitable<Result<void>> remove_all();
  /// Why the container that is there is no longer as planned: "its image is another now". "" when it is, or is not
  /// there. Pulls or builds first where the user or the service wants that at each `up`.
  asio::awaitable<std::string> outdated();

 private:
  using Found = std::optional<docker::Container>;
  asio::awaitable<Result<Found>> find();
  asio::awaitable<Result<Found>> as_planned();
  void take_plan();
  asio::awaitable<Result<Found>> to_be_ended();
  asio::awaitable<Result<void>> end(bool was_running, std::chrono::seconds limit);
  asio::awaitable<Result<UnitEvent>> bring_up();
  asio::awaitable<Result<UnitEvent>> start(std::string id);
  asio::awaitable<void> look(bool engine_was_away);
  [[nodiscard]] bool ours(const docker::Container& container) const;
  [[nodiscard]] bool accepted(const docker::Container& container) const;
  UnitEvent up_event(UnitEvent::Kind kind, const docker::Container& container);
  UnitEvent exit_event(const docker::Container& container) const;
  void say(std::string note);

  // --- container_replace.cc ---
  asio::awaitable<Result<std::string>> difference(docker::Container container);
  asio::awaitable<Result<std::string>> network_difference(docker::Container container);
  asio::awaitable<Result<Found>> find_predecessor(Found old);
  asio::awaitable<Result<void>> make(Found old);
  asio::awaitable<Result<void>> take_place(Found old, docker::ContainerSpec spec);
  asio::awaitable<Result<docker::ContainerSpec>> prepare(Found old);
  asio::awaitable<Result<std::map<std::string, std::string>>> parent_ids();
  asio::awaitable<Result<void>> run_hooks(std::vector<stack::Hook> hooks, std::string which, std::string id);
  asio::awaitable<void> run_pre_stop(docker::Container container);
  asio::awaitable<Result<void>> remove_container(bool volumes);

  // --- container_pre_start.cc ---
  asio::awaitable<Result<void>> prepare_start();
  asio::awaitable<Result<bool>> prepared_before();
  asio::awaitable<Result<void>> run_steps(bool only_own);
  asio::awaitable<Result<docker::ContainerSpec>> step_container(std::size_t at);
  asio::awaitable<Result<void>> run_step(docker::ContainerSpec spec, std::string which);
  asio::awaitable<Result<int>> run_to_end(std::string id);
  asio::awaitable<std::string> finish_step(std::string id);
  asio::awaitable<Result<void>> remove_steps();

  ContainerShared& shared_;
  stack::PlannedUnit unit_;
  std::optional<stack::PlannedUnit> planned_again_;  ///< takes the place of unit_ when no launch looks at that
  Options options_;
  std::string name_;
  std::string id_;
  std::string kept_hash_;  ///< of a container that stays although it is not as planned
  std::string note_;       ///< what its launch is at
  std::vector<std::string> addresses_;
  std::int64_t started_at_ = 0;
  bool replacing_ = false;  ///< its pre_start steps are due although other instances run
  bool launching_ = false;  ///< what a look sees now may be what was before
  TaskGroup looks_;
};

}  // namespace devstack::supervisor
