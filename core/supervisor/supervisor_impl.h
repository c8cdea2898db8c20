#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/async/task_group.h"
#include "core/supervisor/component_unit.h"
#include "core/supervisor/container_unit.h"
#include "core/supervisor/process_unit.h"
#include "core/supervisor/supervisor.h"
#include "core/supervisor/unit.h"

namespace devstack::supervisor {

/// Which containers of `run` go with what is removed.
enum class OneOff { none, ended, all };

/// The supervisor's inside, shared by supervisor.cc (what the owner calls) and convergence.cc (plan against reality).
struct Supervisor::Impl : std::enable_shared_from_this<Supervisor::Impl> {
  using Units = std::vector<std::shared_ptr<Unit>>;

  Impl(asio::any_io_executor loop, SupervisorOptions options, docker::EngineWatcher& engine,
       registry::RegistryView& view, registry::RegistryWriter& writer, Clock& clock);
  ~Impl();

  // --- supervisor.cc ---
  void add(Component& component);
  asio::awaitable<Result<void>> start_components();
  asio::awaitable<void> stop_components();
  Result<Units> named(const std::string& name) const;
  Status status() const;
  void note_change();
  void subscribe_to_engine();
  void on_engine_event(const docker::Event& event);
  asio::awaitable<Result<void>> down(DownOptions options);
  asio::awaitable<Result<void>> take_down(DownOptions options);
  asio::awaitable<void> detach();
  /// Unsubscribes and ends every coroutine of ours; the supervisor is of no use afterwards.
  asio::awaitable<void> release();

  // --- removal.cc ---
  asio::awaitable<std::string> remove_units(Units leaving, bool volumes);
  asio::awaitable<std::string> remove_images(DownOptions options);
  asio::awaitable<void> stop_stray_processes(std::vector<std::string> known);
  /// Containers of this project that are no unit's: ours, those of `run` as `one_off` says, of others when `foreign`.
  struct Strays {
    std::vector<std::string> known;     ///< units that may have containers
    std::vector<std::string> services;  ///< services whose containers another program made, and we take over
    OneOff one_off = OneOff::none;
    bool foreign = false, volumes = false;
    bool ours = true;
    Grace grace;  ///< nothing: each container's own
  };
  asio::awaitable<Result<void>> remove_strays(Strays which);

  // --- convergence.cc ---
  asio::awaitable<void> converge_on_demand();
  asio::awaitable<void> converge(stack::Plan plan, ApplyOptions how);
  /// Dependents before what they depend on, as many at a time as that allows.
  asio::awaitable<void> stop_in_order(Units wanted, Grace grace);
  /// What the plan asks of the units that are there.
  struct Verdict {
    Units leaving;   ///< stopped and removed
    Units replaced;  ///< containers that stay until a new one takes their place
    Units kept;
  };
  asio::awaitable<Verdict> judge(const stack::Plan& plan, const ApplyOptions& how);
  asio::awaitable<void> retire(const stack::Plan& plan, const ApplyOptions& how);
  asio::awaitable<void> clear_registry(const stack::Plan& plan);
  std::shared_ptr<Unit> make_unit(const stack::PlannedUnit& planned, const ApplyOptions& how);
  Gate gate_of(const std::vector<stack::Dependency>& dependencies) const;

  asio::any_io_executor loop;
  SupervisorOptions options;
  docker::EngineWatcher& engine;
  registry::RegistryView& view;
  registry::RegistryWriter& writer;
  Clock& clock;
  Signal changed;
  Signal plan_changed;
  TaskGroup tasks;
  Records records;
  ProcessShared processes;
  ContainerShared containers;
  Units components;  ///< in the order in which they were started
  std::vector<Component*> added;
  Units units;  ///< in plan order
  stack::Plan plan;
  ApplyOptions how;             ///< of the last apply()
  std::uint64_t applied = 0;    ///< counts apply()
  Instant applied_at{};         ///< when the last was
  std::uint64_t converged = 0;  ///< the apply() that `units` reflect
  bool registry_cleared = false;
  bool stopping = false;
  bool gone = false;  ///< down() or detach() has ended
  std::optional<docker::EngineWatcher::Subscription> subscription;
  std::int64_t started_at = 0;
};

}  // namespace devstack::supervisor
