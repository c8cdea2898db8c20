#include "core/supervisor/unit_machine.h"

#include <fmt/format.h>

#include <algorithm>

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

std::chrono::seconds backoff_delay(int failures) {
  const int doublings = std::clamp(failures - 1, 0, 6);
  return std::min(std::chrono::seconds(1LL << doublings), std::chrono::seconds(60));
}

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
      return Work::none;
  }
}

bool UnitMachine::up() const {
  return state_ == UnitState::running || state_ == UnitState::unhealthy || (state_ == UnitState::starting && launched_);
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
  detail_ = event.detail;
  health_ = event.health;
  if (health_.empty() || health_ == "healthy") enter_running(now);
  if (health_ == "unhealthy") state_ = UnitState::unhealthy;
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
  if (should_restart(policy_, event.code, restarts_)) {
    const auto delay = backoff_delay(++failures_);
    counts_ = true;
    return back_off(now + delay, fmt::format("{}; starting again in {} s", what, delay.count()));
  }
  launched_ = false;
  health_.clear();
  state_ = event.code == 0 ? UnitState::completed : UnitState::failed;
  detail_ = event.code == 0 ? std::string() : what;
}

void UnitMachine::in_rest(const UnitEvent& event, Instant now) {
  const bool waiting = state_ == UnitState::waiting;
  switch (event.kind) {
    case Kind::start_requested:
      if (!waiting) begin();
      return;
    case Kind::adopted:
      return launched(event, now);
    case Kind::exited:  // found ended: only a success that is not to be repeated is kept
      if (state_ == UnitState::pending && event.code == 0 && !should_restart(policy_, 0, 0)) {
        state_ = UnitState::completed;
        ever_started_ = true;
      }
      return;
    case Kind::dependencies_ready:
      if (!waiting) return;
      state_ = UnitState::starting;
      launched_ = false;
      detail_.clear();
      return;
    case Kind::dependency_failed:
      if (!waiting) return;
      state_ = UnitState::failed;
      detail_ = event.detail;
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
    case Kind::start_failed:
      early_exit_.reset();
      if (event.retry) {
        counts_ = false;
        return back_off(now + backoff_delay(++failures_), event.detail);
      }
      exit_code_ = 1;
      // What never ran is wrong as written, and saying so at once helps more than trying again.
      if (ever_started_ && should_restart(policy_, 1, restarts_)) {
        counts_ = true;
        return back_off(now + backoff_delay(++failures_), event.detail);
      }
      state_ = UnitState::failed;
      detail_ = event.detail;
      return;
    case Kind::stop_requested:
      early_exit_.reset();
      state_ = UnitState::stopping;
      return;
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
    case Kind::exited:
      return ended(event, now);
    case Kind::lost:
      counts_ = false;
      return back_off(now, event.detail);
    case Kind::stop_requested:
      state_ = UnitState::stopping;
      detail_.clear();
      return;
    default:
      return;
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
    case Kind::stop_requested:
      // It is down, but what it left (a container, a group member) is to be looked at.
      state_ = UnitState::stopping;
      detail_.clear();
      return;
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
