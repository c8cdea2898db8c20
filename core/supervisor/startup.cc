#include "core/supervisor/startup.h"

#include <algorithm>
#include <set>

namespace devstack::supervisor {
namespace {

/// When the unit met a dependency's condition. One that ended otherwise let a dependent with `required: false` go on.
std::optional<StartSpan> met(const UnitStart& unit, stack::DependencyCondition condition) {
  using stack::DependencyCondition;
  if (condition == DependencyCondition::completed_successfully) return unit.ended;
  if (condition == DependencyCondition::started && unit.launched) return unit.launched;
  if (condition == DependencyCondition::healthy && unit.ready) return unit.ready;
  return unit.ended;
}

/// When nobody who asked for it had to wait any more.
StartSpan done(const UnitStart& unit) {
  if (unit.ready) return *unit.ready;
  if (unit.ended) return *unit.ended;
  return unit.steps.empty() ? StartSpan(0) : unit.steps.back().ended;
}

struct Decider {
  const UnitStart* unit = nullptr;
  StartSpan at{0};
};

/// The dependency that was met last.
Decider decider_of(const UnitStart& unit, const std::vector<UnitStart>& all) {
  Decider last;
  for (const auto& need : unit.depends_on) {
    for (const auto& other : all) {
      if (other.service != need.service) continue;
      const auto at = met(other, need.condition);
      if (at && (last.unit == nullptr || *at > last.at)) last = {&other, *at};
    }
  }
  return last;
}

}  // namespace

std::string_view to_string(StartPhase phase) {
  switch (phase) {
    case StartPhase::queued:
      return "queued";
    case StartPhase::dependency:
      return "dependency";
    case StartPhase::registry:
      return "registry";
    case StartPhase::image:
      return "image";
    case StartPhase::create:
      return "create";
    case StartPhase::start:
      return "start";
    case StartPhase::listen:
      return "listen";
    case StartPhase::health:
      return "health";
    case StartPhase::backoff:
      return "backoff";
    case StartPhase::run:
      return "run";
  }
  return "";
}

std::vector<CriticalStep> critical_path(const std::vector<UnitStart>& units) {
  std::vector<CriticalStep> path;  // last step first
  const auto last = std::max_element(units.begin(), units.end(),
                                     [](const auto& one, const auto& other) { return done(one) < done(other); });
  if (last == units.end()) return path;
  std::set<const UnitStart*> seen;
  Decider next{&*last, done(*last)};
  while (next.unit != nullptr && seen.insert(next.unit).second) {
    const UnitStart& unit = *next.unit;
    const StartSpan until = next.at;
    next = {};
    for (auto step = unit.steps.rbegin(); step != unit.steps.rend() && next.unit == nullptr; ++step) {
      if (step->began >= until) continue;
      path.push_back({unit.unit, *step, false});
      auto& taken = path.back();
      taken.step.ended = std::min(step->ended, until);
      if (step->phase != StartPhase::dependency) continue;
      next = decider_of(unit, units);
      if (next.unit != nullptr && next.at <= step->began) next = {};
      taken.waits = next.unit != nullptr;
    }
  }
  std::reverse(path.begin(), path.end());
  return path;
}

Startup summarise(std::string project, std::vector<UnitStart> units) {
  Startup out;
  out.project = std::move(project);
  out.critical_path = critical_path(units);
  for (const auto& unit : units) out.took = std::max(out.took, done(unit));
  out.units = std::move(units);
  return out;
}

void StartRecorder::open(Instant origin) {
  start_ = {};
  origin_ = origin;
  started_ = open_ = true;
  start_.steps.push_back({});
}

void StartRecorder::next(Instant origin) {
  if (!open_ || start_.ready) {
    start_ = {};
    started_ = open_ = false;
    return;
  }
  const StartStep going_on = start_.steps.back();
  const bool launched = start_.launched.has_value();
  open(origin);
  start_.steps = {{going_on.phase, going_on.detail, StartSpan(0), StartSpan(0)}};
  if (launched) start_.launched = StartSpan(0);
}

void StartRecorder::enter(StartPhase phase, const std::string& detail, Instant now) {
  if (!open_) return;
  auto& last = start_.steps.back();
  if (last.phase == phase) {
    if (!detail.empty()) last.detail = detail;
    return;
  }
  // A launch counts as the start itself until it says what comes before that.
  if (last.phase == StartPhase::start && (phase == StartPhase::image || phase == StartPhase::create)) {
    last.phase = phase;
    last.detail = detail;
    return;
  }
  last.ended = since(now);
  start_.steps.push_back({phase, detail, since(now), since(now)});
}

void StartRecorder::close(Instant now) {
  start_.steps.back().ended = since(now);
  open_ = false;
}

void StartRecorder::see(UnitState state, bool up, const std::string& detail, Instant now) {
  if (!open_) return;
  if (up && !start_.launched) start_.launched = since(now);
  switch (state) {
    case UnitState::pending:
    case UnitState::waiting:
    case UnitState::paused:
      return;
    case UnitState::starting:
      return enter(up ? StartPhase::health : StartPhase::start, up ? detail : std::string(), now);
    case UnitState::unhealthy:
      return enter(start_.ready ? StartPhase::run : StartPhase::health, {}, now);
    case UnitState::running:
      if (!start_.ready) start_.ready = since(now);
      return enter(StartPhase::run, {}, now);
    case UnitState::backoff:
      return start_.ready ? close(now) : enter(StartPhase::backoff, detail, now);
    case UnitState::completed:
    case UnitState::failed:
      start_.ended = since(now);
      return close(now);
    case UnitState::stopping:
    case UnitState::stopped:
      return close(now);
  }
}

std::optional<UnitStart> StartRecorder::record(Instant now) const {
  if (!started_) return std::nullopt;
  UnitStart out = start_;
  if (open_) out.steps.back().ended = since(now);
  // It goes on running: there is no end of that to tell.
  if (open_ && out.steps.back().phase == StartPhase::run) out.steps.pop_back();
  return out;
}

}  // namespace devstack::supervisor
