#include "core/supervisor/unit_machine.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/duration.h"

namespace devstack::supervisor {

using Kind = UnitEvent::Kind;

bool should_restart(const stack::RestartPolicy& policy, int code, int restarts) {
  using PolicyKind = stack::RestartPolicy::Kind;
  switch (policy.kind) {
    case PolicyKind::no:
      return false;
    case PolicyKind::always:
    case PolicyKind::unless_stopped:
      return true;
    case PolicyKind::on_failure:
      return code != 0 && (policy.max_retries <= 0 || restarts < policy.max_retries);
  }
  return false;
}

std::chrono::nanoseconds backoff_delay(const stack::RestartPolicy& policy, int failures) {
  const std::chrono::nanoseconds none{0};
  std::chrono::nanoseconds delay = policy.delay > none ? policy.delay : std::chrono::milliseconds(100);
  const std::chrono::nanoseconds most = policy.max_delay > none ? policy.max_delay : std::chrono::minutes(1);
  for (int doubled = 1; doubled < failures && delay < most; ++doubled) delay *= 2;
  return std::min(delay, most);
}

namespace {

/// What could not be launched for no fault of its own: an engine takes seconds to come back.
std::chrono::nanoseconds retry_delay(int failures) {
  stack::RestartPolicy slow;
  slow.delay = std::chrono::seconds(1);
  return backoff_delay(slow, failures);
}

/// A failed liveness check asks for a restart by itself; `on-failure:N` still bounds how often.
bool runs_again(const stack::RestartPolicy& policy, const UnitEvent& event, int restarts) {
  const bool bounded = policy.kind == stack::RestartPolicy::Kind::on_failure;
  return (event.given_up && !bounded) || should_restart(policy, event.code, restarts);
}

}  // namespace

Work UnitMachine::work() const {
  switch (state_) {
    case UnitState::waiting:
      return Work::await_dependencies;
    case UnitState::starting:
      return launched_ ? Work::none : Work::launch;
    case UnitState::backoff:
      return Work::await_backoff;
    case UnitState::stopping:
      return Work::halt;
    default:
      return next_run() ? Work::await_backoff : Work::none;
  }
}

std::optional<Instant> UnitMachine::next_run() const {
  const bool ended = state_ == UnitState::completed || state_ == UnitState::failed;
  if (!ended || every_ <= std::chrono::nanoseconds(0)) return std::nullopt;
  return backoff_until_;
}

bool UnitMachine::up() const {
  return state_ == UnitState::running || state_ == UnitState::unhealthy || state_ == UnitState::paused ||
         (state_ == UnitState::starting && launched_);
}

void UnitMachine::handle(const UnitEvent& event, Instant now) {
  switch (state_) {
    case UnitState::pending:
    case UnitState::waiting:
    case UnitState::completed:
    case UnitState::failed:
    case UnitState::stopped:
      return in_rest(event, now);
    case UnitState::starting:
      return launched_ ? in_service(event, now) : in_launch(event, now);
    case UnitState::running:
    case UnitState::unhealthy:
      return in_service(event, now);
    case UnitState::paused:
      return in_pause(event, now);
    case UnitState::backoff:
      return in_backoff(event, now);
    case UnitState::stopping:
      return in_stopping(event, now);
  }
}

void UnitMachine::begin() {
  state_ = UnitState::waiting;
  detail_.clear();
  health_.clear();
  launched_ = start_again_ = ever_started_ = false;
  restarts_ = failures_ = exit_code_ = 0;
}

void UnitMachine::stop(const UnitEvent& asked) {
  state_ = UnitState::stopping;
  start_again_ = asked.kind == UnitEvent::Kind::restart_requested;
  detail_ = asked.detail;
}

void UnitMachine::enter_running(Instant now) {
  if (state_ == UnitState::running) return;
  state_ = UnitState::running;
  detail_.clear();
  running_since_ = now;
}

void UnitMachine::launched(const UnitEvent& event, Instant now) {
  state_ = UnitState::starting;
  launched_ = true;
  ever_started_ = true;
  run_began_ = now;
  detail_ = event.detail;
  health_ = event.health;
  if (health_.empty() || health_ == "healthy") enter_running(now);
  if (health_ == "unhealthy") state_ = UnitState::unhealthy;
  const auto told = std::exchange(early_health_, std::nullopt);
  if (told && event.kind == Kind::started) in_service(*told, now);
  const auto early = std::exchange(early_exit_, std::nullopt);
  if (early && event.kind == Kind::started) ended(*early, now);
}

void UnitMachine::back_off(Instant until, std::string detail) {
  state_ = UnitState::backoff;
  launched_ = false;
  health_.clear();
  backoff_until_ = until;
  detail_ = std::move(detail);
}

void UnitMachine::ended(const UnitEvent& event, Instant now) {
  exit_code_ = event.code;
  if (state_ == UnitState::running && now - running_since_ >= stable_after) failures_ = 0;
  const std::string what = event.detail.empty() ? fmt::format("exited with code {}", event.code) : event.detail;
  if (runs_again(policy_, event, restarts_)) {
    const auto delay = backoff_delay(policy_, ++failures_);
    counts_ = true;
    return back_off(now + delay, fmt::format("{}; starting again in {}", what, format_duration(delay)));
  }
  launched_ = false;
  health_.clear();
  state_ = event.code == 0 ? UnitState::completed : UnitState::failed;
  detail_ = event.code == 0 ? std::string() : what;
  backoff_until_ = std::max(now, run_began_ + every_);
}

/// Completed or failed, on a schedule: each run has its own restarts.
void UnitMachine::await_next_run(const UnitEvent& event, Instant now) {
  const auto due = next_run();
  if (event.kind != Kind::backoff_elapsed || !due || now < *due) return;
  state_ = ever_started_ ? UnitState::starting : UnitState::waiting;
  detail_.clear();
  launched_ = false;
  restarts_ = failures_ = 0;
}

void UnitMachine::in_rest(const UnitEvent& event, Instant now) {
  const bool waiting = state_ == UnitState::waiting;
  switch (event.kind) {
    case Kind::start_requested:
      if (!waiting) begin();
      return;
    case Kind::restart_requested:
      if (state_ == UnitState::completed || state_ == UnitState::failed) begin();
      return;
    case Kind::backoff_elapsed:
      return await_next_run(event, now);
    case Kind::adopted:
      return launched(event, now);
    case Kind::exited:  // found ended: only a success that is not to be repeated is kept
      if (state_ == UnitState::pending && event.code == 0 && !should_restart(policy_, 0, 0)) {
        state_ = UnitState::completed;
        ever_started_ = true;
        backoff_until_ = now;
      }
      return;
    case Kind::dependencies_ready:
      if (!waiting) return;
      state_ = UnitState::starting;
      launched_ = false;
      detail_.clear();
      return;
    case Kind::created:
      if (waiting) return;
      state_ = UnitState::stopped;
      detail_ = event.detail;
      return;
    case Kind::create_failed:
      if (waiting) return;
      state_ = UnitState::failed;
      exit_code_ = 1;
      detail_ = event.detail;
      return;
    case Kind::dependency_failed:
      if (!waiting) return;
      state_ = UnitState::failed;
      detail_ = event.detail;
      backoff_until_ = now + every_;
      return;
    case Kind::stop_requested:
      // What has ended may have left something: members of its process group.
      state_ = state_ == UnitState::completed || state_ == UnitState::failed ? UnitState::stopping : UnitState::stopped;
      detail_.clear();
      return;
    default:
      return;
  }
}

void UnitMachine::in_launch(const UnitEvent& event, Instant now) {
  switch (event.kind) {
    case Kind::started:
    case Kind::adopted:
      return launched(event, now);
    case Kind::exited:
      early_exit_ = event;
      return;
    case Kind::health_passed:
    case Kind::health_failed:
      early_health_ = event;
      return;
    case Kind::start_failed:
      early_exit_.reset();
      early_health_.reset();
      if (event.retry) {
        counts_ = false;
        return back_off(now + retry_delay(++failures_), event.detail);
      }
      exit_code_ = 1;
      // What never ran is wrong as written, and saying so at once helps more than trying again.
      if (ever_started_ && should_restart(policy_, 1, restarts_)) {
        counts_ = true;
        return back_off(now + backoff_delay(policy_, ++failures_), event.detail);
      }
      state_ = UnitState::failed;
      detail_ = event.detail;
      backoff_until_ = now + every_;
      return;
    case Kind::restart_requested:
    case Kind::stop_requested:
      early_exit_.reset();
      early_health_.reset();
      return stop(event);
    default:
      return;
  }
}

void UnitMachine::in_service(const UnitEvent& event, Instant now) {
  switch (event.kind) {
    case Kind::health_passed:
      health_ = "healthy";
      return enter_running(now);
    case Kind::health_failed:
      health_ = "unhealthy";
      state_ = UnitState::unhealthy;
      detail_ = event.detail;
      return;
    case Kind::paused:
      held_ = std::exchange(state_, UnitState::paused);
      return;
    case Kind::exited:
      return ended(event, now);
    case Kind::lost:
      counts_ = false;
      return back_off(now, event.detail);
    case Kind::restart_requested:
    case Kind::stop_requested:
      return stop(event);
    default:
      return;
  }
}

/// Held, it neither passes nor fails a check; what ends it ends it as ever.
void UnitMachine::in_pause(const UnitEvent& event, Instant now) {
  switch (event.kind) {
    case Kind::adopted:
    case Kind::resumed:
      state_ = held_;
      return;
    case Kind::paused:
    case Kind::health_passed:
    case Kind::health_failed:
      return;
    default:
      return in_service(event, now);
  }
}

void UnitMachine::in_backoff(const UnitEvent& event, Instant now) {
  switch (event.kind) {
    case Kind::backoff_elapsed:
      if (now < backoff_until_) return;
      if (counts_) ++restarts_;
      state_ = UnitState::starting;
      return;
    case Kind::start_requested:
      state_ = UnitState::starting;
      return;
    case Kind::adopted:
      return launched(event, now);
    case Kind::restart_requested:
    case Kind::stop_requested:
      // It is down, but what it left (a container, a group member) is to be looked at.
      return stop(event);
    default:
      return;
  }
}

void UnitMachine::in_stopping(const UnitEvent& event, Instant) {
  switch (event.kind) {
    case Kind::exited:
      exit_code_ = event.code;
      return;
    case Kind::start_requested:
      start_again_ = true;
      return;
    case Kind::stop_requested:
      start_again_ = false;
      return;
    case Kind::stopped:
      launched_ = false;
      health_.clear();
      detail_.clear();
      state_ = UnitState::stopped;
      if (start_again_) begin();
      return;
    default:
      return;
  }
}

}  // namespace devstack::supervisor
