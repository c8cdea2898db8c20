#include <algorithm>
#include <filesystem>

#include "core/base/duration.h"
#include "core/base/log.h"
#include "core/supervisor/process_unit.h"

namespace devstack::supervisor {
namespace {

using std::chrono::milliseconds;
/// While a process has not been healthy yet it is looked at this often, so that `up` need not wait a whole interval.
constexpr auto eager_interval = std::chrono::milliseconds(500);
/// A process with a port counts as started when it listens, or after this long: then it is left to listen later.
constexpr auto listening_limit = std::chrono::seconds(5);
constexpr auto listening_pause = std::chrono::milliseconds(20);
constexpr auto late_listening_pause = std::chrono::milliseconds(500);
constexpr auto log_pause = std::chrono::milliseconds(50);

milliseconds to_ms(std::chrono::nanoseconds span) { return std::chrono::duration_cast<milliseconds>(span); }

asio::awaitable<bool> cancelled() {
  const auto state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() != asio::cancellation_type::none;
}

health::Threshold threshold_of(const stack::Healthcheck& check, Instant now) {
  health::ThresholdSettings settings;
  settings.retries = check.retries;
  settings.start_period = check.start_period;
  return {settings, now};
}

registry::Check registry_check(const registry::Service& service, const stack::Healthcheck& health) {
  registry::Check check;
  check.node = service.node;
  check.id = "service:" + service.id;
  check.name = fmt::format("Service '{}' check", service.name);
  check.service_id = service.id;
  check.service_name = service.name;
  check.agent_owned = true;
  check.type = "script";
  check.interval = format_duration(health.interval);
  check.timeout = format_duration(health.timeout);
  return check;
}

}  // namespace

asio::awaitable<void> ProcessUnit::begin_watch() {
  shown_health_.clear();
  watch_ = std::make_unique<TaskGroup>(shared_.executor);
  const bool says_so = !settings().ready_log_line.empty() && !record_.ready;
  if (!says_so) co_await begin_use();
  watch_->spawn("supervisor: exit of " + unit_.name, watch_exit());
  if (says_so) watch_->spawn("supervisor: readiness of " + unit_.name, watch_ready());
  if (settings().liveness) watch_->spawn("supervisor: liveness of " + unit_.name, watch_liveness());
}

asio::awaitable<void> ProcessUnit::end_watch() {
  if (watch_) co_await watch_->stop();
}

/// It is ready as far as it says itself: into the registry with it, and on with its health check.
asio::awaitable<void> ProcessUnit::begin_use() {
  const bool listens = find_listening();
  if (listens) co_await take_in();
  if (!listens) watch_->spawn("supervisor: port of " + unit_.name, take_in_when_listening());
  if (has_command_check(unit_.spec)) watch_->spawn("supervisor: health of " + unit_.name, watch_health());
}

bool ProcessUnit::find_listening() {
  listening_.clear();
  if (record_.port == 0) return true;
  if (!shared_.listening_address) {
    listening_ = shared_.writer->identity().address;
    return true;
  }
  if (auto found = shared_.listening_address(record_.port)) listening_ = std::move(*found);
  return !listening_.empty();
}

asio::awaitable<void> ProcessUnit::wait_listening() {
  const Instant limit = shared_.clock->now() + listening_limit;
  while (!find_listening() && process::alive(child_->identity()) && shared_.clock->now() < limit) {
    co_await shared_.clock->sleep_for(listening_pause);
  }
}

asio::awaitable<void> ProcessUnit::take_in_when_listening() {
  while (!find_listening()) {
    if (!process::alive(child_->identity())) co_return;  // whoever listens there later is somebody else
    co_await shared_.clock->sleep_for(late_listening_pause);
    const bool ended = co_await cancelled();
    if (ended) co_return;
  }
  co_await take_in();
}

asio::awaitable<void> ProcessUnit::watch_exit() {
  const process::ExitStatus status = co_await child_->wait();
  const bool ended = co_await cancelled();
  if (ended) co_return;
  UnitEvent event;
  event.kind = UnitEvent::Kind::exited;
  event.code = status.known ? status.code : 1;
  if (!status.known) event.detail = "ended (with what code is not known: an earlier devstack had started it)";
  if (status.signal != 0) event.detail = fmt::format("killed by signal {}", status.signal);
  if (!given_up_.empty()) {
    event.given_up = true;
    event.code = std::max(event.code, 1);
    event.detail = given_up_;
  }
  record_.identity = {};
  (void)save_record();
  events(event);
  co_await take_out();
}

void ProcessUnit::became_ready() {
  if (record_.ready) return;
  record_.ready = true;
  if (const auto saved = save_record(); !saved) log::warn("supervisor", "{}: {}", unit_.name, saved.error().message);
}

asio::awaitable<void> ProcessUnit::watch_ready() {
  auto line = ReadyLine::make(settings().ready_log_line);
  if (!line) co_return;  // launch() has refused it
  std::uint64_t offset = record_.log_offset;
  while (!line->read(log_file(), offset)) {
    if (!process::alive(child_->identity())) co_return;
    co_await shared_.clock->sleep_for(log_pause);
    const bool ended = co_await cancelled();
    if (ended) co_return;
  }
  if (!process::alive(child_->identity())) co_return;
  co_await begin_use();
  if (has_command_check(unit_.spec)) co_return;
  became_ready();
  UnitEvent event;
  event.kind = UnitEvent::Kind::health_passed;
  events(event);
}

asio::awaitable<health::ProbeResult> ProcessUnit::probe(const stack::Healthcheck& check) {
  process::Spec spec = process_spec(unit_, shared_.context, record_.port);
  spec.argv = health::command_of(check.test);
  return health::probe_command(std::move(spec), to_ms(check.timeout));
}

/// What is held cannot answer: that is no failure of its own.
asio::awaitable<void> ProcessUnit::while_paused() {
  while (paused_) co_await shared_.clock->sleep_for(late_listening_pause);
}

asio::awaitable<void> ProcessUnit::watch_health() {
  const stack::Healthcheck check = *unit_.spec.healthcheck;
  auto threshold = threshold_of(check, shared_.clock->now());
  Instant counted = shared_.clock->now();
  while (process::alive(child_->identity())) {
    const bool eager = threshold.health() == health::Health::starting;
    const std::chrono::nanoseconds pause =
        eager ? std::min<std::chrono::nanoseconds>(check.interval, eager_interval) : check.interval;
    co_await while_paused();
    const health::ProbeResult result = co_await probe(check);
    if (paused_) continue;
    const Instant now = shared_.clock->now();
    const bool due = now - counted >= check.interval;
    if (result.outcome == health::Outcome::passed || due) {  // an eager look that fails is only a look too early
      counted = now;
      const auto before = threshold.health();
      const auto after = threshold.record(result.outcome, now);
      if (after != before) {
        UnitEvent event;
        const bool healthy = after == health::Health::healthy;
        event.kind = healthy ? UnitEvent::Kind::health_passed : UnitEvent::Kind::health_failed;
        if (!healthy) event.detail = failing_check(result.output);
        if (healthy) became_ready();
        if (given_up_.empty()) events(event);
      }
    }
    if (threshold.health() != health::Health::starting) {
      const auto shown =
          threshold.health() == health::Health::healthy ? health::Outcome::passed : health::Outcome::failed;
      co_await show_health(shown, result.output);
    }
    co_await shared_.clock->sleep_for(pause);
  }
}

asio::awaitable<void> ProcessUnit::watch_liveness() {
  const stack::Healthcheck check = *settings().liveness;
  auto threshold = threshold_of(check, shared_.clock->now());
  while (process::alive(child_->identity())) {
    co_await shared_.clock->sleep_for(check.interval);
    co_await while_paused();
    const health::ProbeResult result = co_await probe(check);
    const bool ended = co_await cancelled();
    if (ended || !process::alive(child_->identity())) co_return;
    if (paused_) continue;
    if (threshold.record(result.outcome, shared_.clock->now()) != health::Health::unhealthy) continue;
    std::string why = "liveness check fails";
    if (!result.output.empty()) why += ": " + result.output;
    co_await give_up(std::move(why));
    co_return;
  }
}

/// Ends the process; what then becomes of the unit is up to its machine, which hears of it from watch_exit().
asio::awaitable<void> ProcessUnit::give_up(std::string why) {
  given_up_ = std::move(why);
  UnitEvent event;
  event.kind = UnitEvent::Kind::health_failed;
  event.detail = given_up_ + "; stopping it";
  events(event);
  co_await take_out();
  const auto ended = co_await end_process(Ending::as_it_wants, grace_period());
  if (!ended) log::warn("supervisor", "{}: {}", unit_.name, ended.error().message);
}

asio::awaitable<void> ProcessUnit::take_in() {
  auto identity = shared_.writer->identity();
  if (!listening_.empty()) identity.address = listening_;
  registered_ = process_service(unit_, shared_.context.project, identity, record_.port);
  if (!registered_) co_return;
  registry::Service service = *registered_;
  std::vector<registry::Check> checks;
  if (has_command_check(unit_.spec)) checks.push_back(registry_check(service, *unit_.spec.healthcheck));
  auto registered = co_await registry::register_service(*shared_.writer, std::move(service), std::move(checks));
  if (!registered) log::warn("supervisor", "{} is not in the registry: {}", unit_.name, registered.error().message);
}

asio::awaitable<void> ProcessUnit::take_out() {
  if (!registered_) co_return;
  const std::string id = registered_->id;
  registered_.reset();
  auto removed = co_await registry::deregister_service(*shared_.writer, id);
  if (!removed && removed.error().code != Errc::not_found) {
    log::warn("supervisor", "{} stays in the registry: {}", id, removed.error().message);
  }
}

asio::awaitable<void> ProcessUnit::show_health(health::Outcome outcome, std::string output) {
  if (!registered_) co_return;
  const std::string status(outcome == health::Outcome::passed ? registry::status::passing : registry::status::critical);
  if (shown_health_ == status + output) co_return;
  shown_health_ = status + output;
  registry::UpdateCheckCommand update{registered_->node, "service:" + registered_->id, status, std::move(output)};
  registry::Command command(std::move(update));
  auto applied = co_await shared_.writer->apply(std::move(command));
  if (!applied) {
    shown_health_.clear();
    log::warn("supervisor", "{}: its check in the registry is not up to date: {}", unit_.name, applied.error().message);
  }
}

void ProcessUnit::begin_file_watch() {
  if (settings().watch.empty() || file_watch_) return;
  std::vector<std::string> paths;
  for (const auto& path : settings().watch) {
    paths.push_back((std::filesystem::path(shared_.context.project_dir) / path).string());
  }
  auto opened = PathWatch::open(shared_.executor, std::move(paths), *shared_.clock);
  if (!opened) {
    log::warn("supervisor", "{} is not restarted by changes: {}", unit_.name, opened.error().message);
    return;
  }
  paths_ = std::move(*opened);
  file_watch_ = std::make_unique<TaskGroup>(shared_.executor);
  file_watch_->spawn("supervisor: files of " + unit_.name, watch_files());
}

asio::awaitable<void> ProcessUnit::end_file_watch() {
  if (file_watch_) co_await file_watch_->stop();
  file_watch_.reset();
  paths_.reset();
}

asio::awaitable<void> ProcessUnit::watch_files() {
  for (;;) {
    const PathChanges changes = co_await paths_->next();
    const bool ended = co_await cancelled();
    if (ended) co_return;
    UnitEvent event;
    event.kind = UnitEvent::Kind::restart_requested;
    event.detail = fmt::format("{} changed", changes.paths.empty() ? "more than can be told" : *changes.paths.begin());
    log::info("supervisor", "{}: {}: restarting", unit_.name, event.detail);
    events(event);
  }
}

}  // namespace devstack::supervisor
