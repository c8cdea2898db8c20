#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/stack/plan.h"
#include "core/supervisor/startup.h"
#include "core/supervisor/status.h"
#include "core/supervisor/unit_machine.h"

namespace devstack::supervisor {

namespace asio = boost::asio;
using Grace = std::optional<std::chrono::seconds>;

/// The detail of a unit whose health check fails; `output` is what the check printed.
inline std::string failing_check(std::string_view output) {
  while (output.ends_with('\n')) output.remove_suffix(1);
  return output.empty() ? "health check fails" : fmt::format("health check fails: {}", output);
}

/// How one unit is carried out: a component, a container or a process. Called by its Unit, on the loop, one call at a
/// time (describe() at any time). Tells of what happens by itself (exits, health) through `events`.
class Backend {
 public:
  virtual ~Backend() = default;
  /// Looks for what an earlier supervisor left: `adopted` when it runs, `exited` when it ended, else nothing.
  virtual asio::awaitable<std::optional<UnitEvent>> adopt() { co_return std::nullopt; }
  /// Starts it; returns the `started` (or `adopted`) event. Errc::docker_unreachable and unavailable are worth a retry.
  /// May be cancelled at any wait; halt() follows.
  virtual asio::awaitable<Result<UnitEvent>> launch() = 0;
  /// Returns when it does not run any more; bounded by the grace (its own when none is given) and some seconds.
  virtual asio::awaitable<Result<void>> halt(Grace grace) = 0;
  /// As halt(), by SIGKILL and nothing else: no hook, no command, no grace.
  virtual asio::awaitable<Result<void>> kill() { return halt(std::chrono::seconds(0)); }
  /// After halt(): removes what is left of it (the container).
  virtual asio::awaitable<Result<void>> remove() { co_return Result<void>(); }
  /// Delivers a signal to what runs.
  virtual asio::awaitable<Result<void>> signal(int /*number*/) {
    co_return fail(Errc::conflict, "a component takes no signals");
  }
  /// Holds what runs, without asking it, until resume().
  virtual asio::awaitable<Result<void>> pause() { co_return fail(Errc::conflict, "a component cannot be paused"); }
  virtual asio::awaitable<Result<void>> resume() { co_return Result<void>(); }
  /// Makes what launch() would start (the container) as it is planned, and starts nothing.
  virtual asio::awaitable<Result<void>> create() { co_return Result<void>(); }
  /// What the plan says now of a unit that is made from the same as before (its hash is equal): for what comes next.
  virtual void plan_again(stack::PlannedUnit /*unit*/) {}
  /// Ends watching and leaves the unit running.
  virtual asio::awaitable<void> detach() { co_return; }
  /// The engine is there again: look at what became of it.
  virtual void reconcile() {}
  /// Adds type, addresses, links, id, start time and what else it knows.
  virtual void describe(UnitStatus& status) const = 0;
  [[nodiscard]] virtual std::string log_file() const { return {}; }

  std::function<void(UnitEvent)> events;
  /// Told what launch() is at.
  std::function<void(StartPhase, const std::string& detail)> phases;

 protected:
  void enter(StartPhase phase, const std::string& detail = {}) const {
    if (phases) phases(phase, detail);
  }
};

}  // namespace devstack::supervisor
