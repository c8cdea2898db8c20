#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/async/clock.h"
#include "core/stack/service_spec.h"
#include "core/supervisor/status.h"

/// How long the last convergence took, and which units decided that: what `up --explain` ends with. Spans are of the
/// monotonic clock, counted from the moment at which the convergence was asked for. Pure; JSON: core/control/
/// startup_json.h.
namespace devstack::supervisor {

/// What a start is at.
enum class StartPhase {
  queued,      ///< until its turn: units that it replaces are looked at and stopped
  dependency,  ///< depends_on
  registry,    ///< x-devstack.wait_for
  image,       ///< looked up, pulled or built
  create,      ///< networks, volumes and the container; the one that it replaces is stopped
  start,
  listen,   ///< a process: until its port is open
  health,   ///< until its first healthy answer, or the log line that says that it is ready
  backoff,  ///< it ended or could not start, and is started again
  run,      ///< from there to its end, of what ends
};
std::string_view to_string(StartPhase phase);
inline constexpr StartPhase all_start_phases[] = {
    StartPhase::queued, StartPhase::dependency, StartPhase::registry, StartPhase::image,   StartPhase::create,
    StartPhase::start,  StartPhase::listen,     StartPhase::health,   StartPhase::backoff, StartPhase::run};

using StartSpan = std::chrono::nanoseconds;

struct StartStep {
  StartPhase phase = StartPhase::queued;
  std::string detail;  ///< "for db to be healthy"; the image's name; why it is started again
  StartSpan began{0}, ended{0};
};

/// One unit's start, or what there is of it so far.
struct UnitStart {
  std::string unit, service;
  std::vector<stack::Dependency> depends_on;
  std::vector<StartStep> steps;       ///< one behind the other, without gaps
  std::optional<StartSpan> launched;  ///< it runs
  std::optional<StartSpan> ready;     ///< and is healthy, where it has a check
  std::optional<StartSpan> ended;     ///< by itself, with whatever code
};

/// A step of the critical path. Those with `waits` span the steps of the unit they wait for, which come before them:
/// the others together are the time that the start took.
struct CriticalStep {
  std::string unit;
  StartStep step;
  bool waits = false;
};

/// The chain of units whose steps decided how long the start took, first step first: from the unit that was ready last
/// back to the dependency that let it start, and so on. Empty when nothing was started.
std::vector<CriticalStep> critical_path(const std::vector<UnitStart>& units);

struct Startup {
  std::string project;
  StartSpan took{0};  ///< until the last unit was ready, or had ended
  std::vector<CriticalStep> critical_path;
  std::vector<UnitStart> units;  ///< those that were started; the others ran already
};
Startup summarise(std::string project, std::vector<UnitStart> units);

/// Writes down one unit's start as it happens. Between open() and the first end after it was ready; at other times
/// nothing is recorded, so that what is kept is the last convergence's.
class StartRecorder {
 public:
  /// A convergence that was asked for at `origin` starts the unit now.
  void open(Instant origin);
  /// The next convergence, asked for at `origin`, begins: what is known of the one before goes, but for a start that
  /// is still under way, which counts as a part of the next.
  void next(Instant origin);
  /// Its state is this now; `up` as UnitMachine::up().
  void see(UnitState state, bool up, const std::string& detail, Instant now);
  /// What its launch, or its wait, is at from now on.
  void enter(StartPhase phase, const std::string& detail, Instant now);

  /// Nothing when it was not started.
  [[nodiscard]] std::optional<UnitStart> record(Instant now) const;

 private:
  void close(Instant now);
  [[nodiscard]] StartSpan since(Instant now) const { return now - origin_; }

  Instant origin_{};
  bool started_ = false;
  bool open_ = false;
  UnitStart start_;
};

}  // namespace devstack::supervisor
