#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "core/base/async/clock.h"
#include "core/stack/stack_file.h"
#include "core/supervisor/status.h"

/// The life of one unit as a pure state machine: events in, a state and the work that this state asks for out. No I/O,
/// no timers; core/supervisor/unit.h does the work. An event that means nothing in a state changes nothing.
namespace devstack::supervisor {

struct UnitEvent {
  enum class Kind {
    start_requested,     ///< by the plan or the user; ends a stop, a failure or a backoff
    dependencies_ready,  ///< every dependency meets its condition
    dependency_failed,   ///< one never will
    started,             ///< launched; `health` says whether there is a check to wait for
    adopted,             ///< found running: what an earlier supervisor, or the user, started
    start_failed,        ///< could not be launched; `retry` when it is not the unit's fault (no engine)
    health_passed,
    health_failed,
    exited,   ///< ended by itself, with `code`
    lost,     ///< gone without an end of its own (removed, engine restarted): started again whatever the policy
    paused,   ///< it runs, but is held
    resumed,  ///< and is not any more
    created,  ///< made, but not to be started yet
    create_failed,
    stop_requested,
    restart_requested,  ///< what it is made from changed: stop it, then start it afresh; nothing while stopped
    stopped,            ///< the work of stopping is done
    backoff_elapsed,    ///< ignored before backoff_until(); also begins the next run of a schedule
  };
  Kind kind = Kind::start_requested;
  int code = 0;
  std::string health = {};  ///< "", starting, healthy, unhealthy
  std::string detail = {};
  bool retry = false;
  bool given_up = false;  ///< exited: by a failed liveness check, so it is run again even without a restart policy
};

/// What the driver of a unit has to do now.
enum class Work { none, await_dependencies, launch, await_backoff, halt };

/// Whether a unit that ended with `code` after `restarts` restarts is to run again.
bool should_restart(const stack::RestartPolicy& policy, int code, int restarts);
/// The pause before the next start after `failures` ends in a row (from 1): the policy's delay (100 ms), doubling to
/// its largest (a minute).
std::chrono::nanoseconds backoff_delay(const stack::RestartPolicy& policy, int failures);
/// Running well this long forgets earlier failures.
inline constexpr std::chrono::seconds stable_after{60};

class UnitMachine {
 public:
  /// `every` above 0: what has ended is run again that long after the run before began, or at once when that took
  /// longer.
  explicit UnitMachine(stack::RestartPolicy policy, std::chrono::nanoseconds every = {})
      : policy_(policy), every_(every) {}

  void handle(const UnitEvent& event, Instant now);

  [[nodiscard]] UnitState state() const { return state_; }
  [[nodiscard]] Work work() const;
  [[nodiscard]] Instant backoff_until() const { return backoff_until_; }
  [[nodiscard]] const std::string& detail() const { return detail_; }
  [[nodiscard]] const std::string& health() const { return health_; }
  [[nodiscard]] int restarts() const { return restarts_; }
  [[nodiscard]] int exit_code() const { return exit_code_; }
  /// Whether it was up at least once since it was last asked to start.
  [[nodiscard]] bool ever_started() const { return ever_started_; }
  [[nodiscard]] bool up() const;
  /// When a schedule runs it next; nothing while it runs, and without a schedule.
  [[nodiscard]] std::optional<Instant> next_run() const;

 private:
  void begin();
  void launched(const UnitEvent& event, Instant now);
  void enter_running(Instant now);
  void ended(const UnitEvent& event, Instant now);
  void stop(const UnitEvent& asked);
  void back_off(Instant until, std::string detail);
  void await_next_run(const UnitEvent& event, Instant now);
  void in_rest(const UnitEvent& event, Instant now);
  void in_launch(const UnitEvent& event, Instant now);
  void in_service(const UnitEvent& event, Instant now);
  void in_pause(const UnitEvent& event, Instant now);
  void in_backoff(const UnitEvent& event, Instant now);
  void in_stopping(const UnitEvent& event, Instant now);

  stack::RestartPolicy policy_;
  std::chrono::nanoseconds every_;
  UnitState state_ = UnitState::pending;
  std::string detail_;
  std::string health_;
  UnitState held_ = UnitState::running;  ///< paused: what it was
  bool launched_ = false;                ///< starting: launched, waiting for health
  bool start_again_ = false;             ///< stopping: a start was requested meanwhile
  bool counts_ = false;                  ///< backoff: the next launch is a restart by policy
  bool ever_started_ = false;
  std::optional<UnitEvent> early_exit_;  ///< starting: ended before we were told that it had started
  std::optional<UnitEvent> early_health_;
  int restarts_ = 0;
  int failures_ = 0;
  int exit_code_ = 0;
  Instant running_since_{};
  Instant run_began_{};
  Instant backoff_until_{};
};

}  // namespace devstack::supervisor
