#include "core/supervisor/unit.h"

#include <algorithm>
#include <ctime>

#include "core/base/append.h"
#include "core/base/log.h"

namespace devstack::supervisor {

using Kind = UnitEvent::Kind;

namespace {

UnitEvent event_of(Kind kind, std::string detail = {}) {
  UnitEvent event;
  event.kind = kind;
  event.detail = std::move(detail);
  return event;
}

/// "10:42:05" of the clock on the wall, which the reader looks at.
std::string wall_time(std::chrono::nanoseconds from_now) {
  const auto at = std::chrono::system_clock::now() + std::chrono::duration_cast<std::chrono::seconds>(from_now);
  const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return fmt::format("{:02}:{:02}:{:02}", parts.tm_hour, parts.tm_min, parts.tm_sec);
}

constexpr auto longest_registry_wait = std::chrono::minutes(10);

}  // namespace

Unit::Unit(Options options, std::unique_ptr<Backend> backend)
    : options_(std::move(options)),
      backend_(std::move(backend)),
      machine_(options_.restart, options_.every),
      wake_(options_.executor),
      tasks_(options_.executor) {
  backend_->events = [this](const UnitEvent& event) { post(event); };
  backend_->phases = [this](StartPhase phase, const std::string& detail) {
    recorder_.enter(phase, detail, options_.clock->now());
  };
}

void Unit::run() {
  if (std::exchange(running_, true)) return;
  tasks_.spawn("supervisor: " + name(), work());
}

asio::awaitable<void> Unit::adopt() {
  const auto found = co_await backend_->adopt();
  if (found) post(*found);
}

bool Unit::restarts_with(const std::vector<std::shared_ptr<Unit>>& others) const {
  return std::any_of(options_.depends_on.begin(), options_.depends_on.end(), [&](const auto& need) {
    return need.restart && std::any_of(others.begin(), others.end(),
                                       [&](const auto& other) { return other->service() == need.service; });
  });
}

void Unit::request_start() { post(event_of(Kind::start_requested)); }

asio::awaitable<Result<void>> Unit::pause() {
  CO_CHECK(co_await backend_->pause());
  post(event_of(Kind::paused));
  co_return Result<void>();
}

asio::awaitable<Result<void>> Unit::resume() {
  CO_CHECK(co_await backend_->resume());
  post(event_of(Kind::resumed));
  co_return Result<void>();
}

asio::awaitable<void> Unit::create() {
  const auto made = co_await backend_->create();
  post(made ? event_of(Kind::created, "created, not started") : event_of(Kind::create_failed, made.error().message));
}

void Unit::plan_again(const stack::PlannedUnit& planned) {
  options_.depends_on = planned.spec.depends_on;
  options_.wait_for = planned.spec.wait_for;
  following_registry_ = false;  // what is followed may be what the old plan waited for
  backend_->plan_again(planned);
  wake_.bump();
}

void Unit::begin_start(Instant origin) {
  recorder_.open(origin);
  request_start();
}

std::optional<UnitStart> Unit::last_start() const {
  auto start = recorder_.record(options_.clock->now());
  if (!start) return start;
  start->unit = options_.name;
  start->service = options_.service;
  start->depends_on = options_.depends_on;
  return start;
}

void Unit::request_stop(Grace grace) {
  grace_ = grace;
  post(event_of(Kind::stop_requested));
}

void Unit::request_kill() {
  kill_ = true;
  request_stop(std::chrono::seconds(0));
}

void Unit::post(const UnitEvent& event) {
  const UnitState before = machine_.state();
  if (event.kind == Kind::restart_requested && before != UnitState::stopping) grace_.reset();
  const Instant now = options_.clock->now();
  machine_.handle(event, now);
  const UnitState after = machine_.state();
  recorder_.see(after, machine_.up(), machine_.detail(), now);
  if (before != after) {
    const auto level = after == UnitState::failed || after == UnitState::backoff || after == UnitState::unhealthy
                           ? log::Level::warn
                           : log::Level::debug;
    log::line(level, "supervisor", "{}: {}{}{}", name(), to_string(after), machine_.detail().empty() ? "" : ": ",
              machine_.detail());
  }
  note_next_run();
  wake_.bump();
  options_.changed();
}

/// Said once a run, so that the text does not change with the time that passes.
void Unit::note_next_run() {
  const auto next = machine_.next_run();
  if (next == next_run_) return;
  next_run_ = next;
  next_run_text_ = next ? "next run at " + wall_time(*next - options_.clock->now()) : std::string();
}

DependencyView Unit::view() const {
  return {machine_.state(), machine_.up(), machine_.ever_started(), !machine_.health().empty()};
}

UnitStatus Unit::status() const {
  UnitStatus status;
  status.name = options_.name;
  status.service = options_.service;
  status.state = machine_.state();
  status.health = machine_.health();
  status.detail = machine_.state() == UnitState::waiting ? waiting_for_ : machine_.detail();
  append_part(status.detail, next_run_text_, "; ");
  status.restarts = machine_.restarts();
  status.exit_code = machine_.exit_code();
  backend_->describe(status);
  if (!machine_.up()) {
    status.started_at = 0;
    status.addresses.clear();
    status.links.clear();
  }
  return status;
}

asio::awaitable<void> Unit::work() {
  while (true) {
    const auto seen = wake_.version();
    switch (machine_.work()) {
      case Work::none:
        co_await wait_for_change(seen);
        break;
      case Work::await_dependencies:
        co_await await_dependencies();
        break;
      case Work::launch:
        co_await launch();
        break;
      case Work::await_backoff:
        co_await await_backoff();
        break;
      case Work::halt:
        co_await halt();
        break;
    }
  }
}

asio::awaitable<void> Unit::wait_for_change(std::uint64_t seen) { co_await wake_.wait_past(seen, Instant::max()); }

asio::awaitable<void> Unit::await_dependencies() {
  const auto seen = wake_.version();
  const Gate gate = look_at_gates();
  if (gate.state == Gate::State::open) {
    waiting_for_.clear();
    post(event_of(Kind::dependencies_ready));
    co_return;
  }
  if (gate.state == Gate::State::failed) {
    post(event_of(Kind::dependency_failed, "not started: " + gate.detail));
    co_return;
  }
  const auto waits_for = dependencies_open_ ? StartPhase::registry : StartPhase::dependency;
  recorder_.enter(waits_for, gate.detail, options_.clock->now());
  if (waiting_for_ != gate.detail) {
    waiting_for_ = gate.detail;
    options_.changed();
  }
  co_await wait_for_change(seen);
}

/// The registry is asked once the dependencies are there: they may be what fills it.
Gate Unit::look_at_gates() {
  Gate dependencies = options_.gate(options_.depends_on);
  const auto wanted = watches(options_.wait_for);
  dependencies_open_ = dependencies.state == Gate::State::open;
  if (!dependencies_open_ || wanted.empty() || options_.registry == nullptr) return dependencies;
  const auto snapshot = options_.registry->snapshot();
  Gate registry = gate(options_.wait_for, *snapshot);
  if (!options_.registry->synced()) registry = {Gate::State::waiting, "waits for the registry"};
  if (registry.state == Gate::State::waiting && !std::exchange(following_registry_, true)) {
    tasks_.spawn("supervisor: registry for " + name(), ring_on_registry(snapshot->index()));
  }
  return registry;
}

asio::awaitable<void> Unit::ring_on_registry(registry::Index seen) {
  co_await options_.registry->wait(watches(options_.wait_for), seen, options_.clock->now() + longest_registry_wait);
  following_registry_ = false;
  wake_.bump();
}

asio::awaitable<void> Unit::attempt(std::shared_ptr<Attempt> attempt) {
  auto result = co_await backend_->launch();
  attempt->result = std::move(result);
  wake_.bump();
}

/// Runs beside us, so that a stop need not wait for a long image pull: it is cancelled then.
asio::awaitable<void> Unit::launch() {
  auto current = std::make_shared<Attempt>();
  launching_ = std::make_unique<TaskGroup>(options_.executor);
  launching_->spawn("supervisor: start " + name(), attempt(current));
  while (!current->result && machine_.work() == Work::launch) co_await wait_for_change(wake_.version());
  co_await launching_->stop();
  if (!current->result) co_return;
  auto& result = *current->result;
  if (result) {
    post(*result);
    co_return;
  }
  UnitEvent failed = event_of(Kind::start_failed, result.error().message);
  failed.retry = result.error().code == Errc::docker_unreachable || result.error().code == Errc::unavailable;
  post(failed);
}

asio::awaitable<void> Unit::ring_at(Instant due) {
  co_await options_.clock->sleep_until(due);
  post(event_of(Kind::backoff_elapsed));
}

asio::awaitable<void> Unit::await_backoff() {
  const auto seen = wake_.version();
  const Instant due = machine_.backoff_until();
  if (options_.clock->now() >= due) {
    post(event_of(Kind::backoff_elapsed));
    co_return;
  }
  if (alarm_ != due) {
    alarm_ = due;
    tasks_.spawn("supervisor: backoff of " + name(), ring_at(due));
  }
  co_await wait_for_change(seen);
}

asio::awaitable<void> Unit::halt() {
  auto ending = std::exchange(kill_, false) ? backend_->kill() : backend_->halt(grace_);
  auto halted = co_await std::move(ending);
  halt_error_ = halted ? std::string() : halted.error().message;
  if (!halted) log::warn("supervisor", "{}: {}", name(), halt_error_);
  post(event_of(Kind::stopped));
}

asio::awaitable<void> Unit::wait_settled(Instant deadline) {
  while (true) {
    const auto seen = wake_.version();
    if (settled(machine_.state())) co_return;
    const bool changed = co_await wake_.wait_past(seen, deadline);
    if (!changed) co_return;
  }
}

asio::awaitable<void> Unit::detach() {
  co_await tasks_.stop();
  if (launching_) co_await launching_->stop();
  co_await backend_->detach();
}

}  // namespace devstack::supervisor
