#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/async/signal.h"
#include "core/base/async/task_group.h"
#include "core/registry/registry.h"
#include "core/stack/plan.h"
#include "core/supervisor/backend.h"
#include "core/supervisor/gate.h"
#include "core/supervisor/unit_machine.h"

namespace devstack::supervisor {

/// One unit: the machine, the backend that carries it out, and the coroutine that does the work the machine asks for.
/// Loop thread. Call detach() before destruction.
class Unit {
 public:
  struct Options {
    asio::any_io_executor executor;
    Clock* clock = nullptr;
    std::string name;
    std::string service;
    std::string config_hash;
    stack::RestartPolicy restart;
    std::chrono::nanoseconds every{0};  ///< schedule; 0: none
    stack::WaitFor wait_for;
    registry::RegistryView* registry = nullptr;  ///< for wait_for
    std::vector<stack::Dependency> depends_on;
    std::function<Gate(const std::vector<stack::Dependency>&)> gate;
    std::function<void()> changed;  ///< status() would say something else
  };
  Unit(Options options, std::unique_ptr<Backend> backend);

  /// Begins to work; before that, adopt() may find what runs already.
  void run();
  asio::awaitable<void> adopt();

  void request_start();
  void request_stop(Grace grace);
  /// Stops what runs by SIGKILL; a restart by policy does not follow.
  void request_kill();
  asio::awaitable<Result<void>> pause();
  asio::awaitable<Result<void>> resume();
  /// Makes what a start would start; failed when that cannot be, otherwise it is as if stopped.
  asio::awaitable<void> create();
  /// What the plan says now of a unit whose hash is equal: gates see it at once, the backend when it starts anew.
  void plan_again(const stack::PlannedUnit& planned);
  void post(const UnitEvent& event);
  /// A dependency changed: look again.
  void wake() { wake_.bump(); }

  /// Returns once `state` is none of a unit's transient states, or at the deadline.
  asio::awaitable<void> wait_settled(Instant deadline);
  asio::awaitable<Result<void>> remove() { return backend_->remove(); }
  asio::awaitable<void> detach();

  [[nodiscard]] const std::string& name() const { return options_.name; }
  [[nodiscard]] const std::string& service() const { return options_.service; }
  [[nodiscard]] const std::string& config_hash() const { return options_.config_hash; }
  [[nodiscard]] const std::vector<stack::Dependency>& depends_on() const { return options_.depends_on; }
  /// Whether it asked to be restarted together with one of `others` (`restart: true`).
  [[nodiscard]] bool restarts_with(const std::vector<std::shared_ptr<Unit>>& others) const;
  [[nodiscard]] const UnitMachine& machine() const { return machine_; }
  /// Why the last halt left something behind; empty when it did not.
  [[nodiscard]] const std::string& halt_error() const { return halt_error_; }
  [[nodiscard]] DependencyView view() const;
  [[nodiscard]] UnitStatus status() const;
  [[nodiscard]] Backend& backend() { return *backend_; }

  /// A convergence that was asked for at `origin` begins; begin_start(): it starts this unit.
  void begin_convergence(Instant origin) { recorder_.next(origin); }
  void begin_start(Instant origin);
  /// Of the last convergence; nothing when that did not start it.
  [[nodiscard]] std::optional<UnitStart> last_start() const;

 private:
  struct Attempt {
    std::optional<Result<UnitEvent>> result;
  };
  asio::awaitable<void> work();
  asio::awaitable<void> await_dependencies();
  asio::awaitable<void> launch();
  asio::awaitable<void> attempt(std::shared_ptr<Attempt> attempt);
  asio::awaitable<void> await_backoff();
  asio::awaitable<void> ring_at(Instant due);
  [[nodiscard]] Gate look_at_gates();
  asio::awaitable<void> ring_on_registry(registry::Index seen);
  void note_next_run();
  asio::awaitable<void> halt();
  asio::awaitable<void> wait_for_change(std::uint64_t seen);

  Options options_;
  std::unique_ptr<Backend> backend_;
  UnitMachine machine_;
  StartRecorder recorder_;
  std::string waiting_for_;
  std::string halt_error_;
  Grace grace_;
  bool kill_ = false;  ///< the next halt is one by SIGKILL
  Instant alarm_{};
  std::optional<Instant> next_run_;
  std::string next_run_text_;
  bool dependencies_open_ = false;  ///< as look_at_gates() saw them
  bool following_registry_ = false;
  Signal wake_;
  bool running_ = false;  ///< run() was called
  TaskGroup tasks_;
  std::unique_ptr<TaskGroup> launching_;
};

}  // namespace devstack::supervisor
