#include "core/supervisor/process_unit.h"

#include <signal.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <ctime>
#include <fstream>

#include "core/base/duration.h"
#include "core/base/log.h"
#include "core/health/probe.h"

namespace devstack::supervisor {
namespace {

using std::chrono::milliseconds;
/// While a process has not been healthy yet it is looked at this often, so that `up` need not wait a whole interval.
constexpr auto eager_interval = std::chrono::milliseconds(500);
/// A process with a port counts as started when it listens, or after this long: then it is left to listen later.
constexpr auto listening_limit = std::chrono::seconds(5);
constexpr auto listening_pause = std::chrono::milliseconds(20);
constexpr auto late_listening_pause = std::chrono::milliseconds(500);

milliseconds to_ms(std::chrono::nanoseconds span) { return std::chrono::duration_cast<milliseconds>(span); }

bool port_is_free(std::uint16_t port) {
  asio::io_context io;
  boost::system::error_code error;
  asio::ip::tcp::acceptor acceptor(io);
  const asio::ip::tcp::endpoint where(asio::ip::address_v4::any(), port);
  acceptor.open(where.protocol(), error);
  acceptor.set_option(asio::socket_base::reuse_address(true), error);
  acceptor.bind(where, error);
  return !error;
}

Result<std::uint16_t> any_free_port() {
  asio::io_context io;
  boost::system::error_code error;
  asio::ip::tcp::acceptor acceptor(io);
  const asio::ip::tcp::endpoint where(asio::ip::address_v4::any(), 0);
  acceptor.open(where.protocol(), error);
  if (!error) acceptor.bind(where, error);
  const auto bound = error ? where : acceptor.local_endpoint(error);
  if (error) return fail(Errc::io, "no free TCP port: {}", error.message());
  return bound.port();
}

/// Unix seconds of a start time in clock ticks since boot (proc(5)).
std::int64_t unix_start(const process::Identity& identity) {
  std::ifstream in("/proc/stat");
  std::string key;
  while (in >> key) {
    if (key == "btime") {
      std::int64_t boot = 0;
      in >> boot;
      return boot + static_cast<std::int64_t>(identity.start_time) / std::max(1L, ::sysconf(_SC_CLK_TCK));
    }
    in.ignore(1 << 16, '\n');
  }
  return std::time(nullptr);
}

}  // namespace

ProcessUnit::ProcessUnit(ProcessShared& shared, stack::PlannedUnit unit) : shared_(shared), unit_(std::move(unit)) {
  if (const auto record = shared_.records->find(unit_.name)) port_ = record->port;
}

ProcessUnit::~ProcessUnit() = default;

std::string ProcessUnit::log_file() const { return shared_.log_dir + "/" + unit_.name + ".log"; }

UnitEvent ProcessUnit::up_event(UnitEvent::Kind kind) const {
  UnitEvent event;
  event.kind = kind;
  if (has_command_check(unit_.spec)) event.health = "starting";
  return event;
}

asio::awaitable<std::optional<UnitEvent>> ProcessUnit::adopt() {
  const auto record = shared_.records->find(unit_.name);
  if (!record || record->identity.pid == 0) co_return std::nullopt;
  if (record->config_hash != unit_.config_hash) {
    const auto grace = std::chrono::duration_cast<std::chrono::seconds>(unit_.spec.stop_grace_period);
    co_await stop_stray(shared_.executor, *record, grace);
    co_return std::nullopt;
  }
  auto adopted = process::Child::adopt(shared_.executor, record->identity);
  if (!adopted) co_return std::nullopt;
  child_ = std::move(*adopted);
  port_ = record->port;
  started_at_ = unix_start(record->identity);
  co_await begin_watch();
  log::info("supervisor", "{}: taken back, pid {}", unit_.name, record->identity.pid);
  co_return up_event(UnitEvent::Kind::adopted);
}

Result<std::uint16_t> ProcessUnit::choose_port() const {
  if (!unit_.spec.process) return std::uint16_t{0};
  const auto& settings = *unit_.spec.process;
  if (!settings.auto_port) return settings.port;
  if (port_ != 0 && port_is_free(port_)) return port_;
  return any_free_port();
}

asio::awaitable<Result<UnitEvent>> ProcessUnit::launch() {
  co_await end_watch();
  // Members of the group that outlived their leader would hold its port.
  if (child_) co_await child_->stop(SIGKILL, milliseconds(0));
  child_.reset();
  CO_TRY(port_, choose_port());
  process::Spec spec = process_spec(unit_, shared_.context, port_);
  spec.log_file = log_file();
  CO_TRY(child_, process::Child::start(shared_.executor, std::move(spec)));
  ProcessRecord record;
  record.identity = child_->identity();
  record.port = port_;
  record.config_hash = unit_.config_hash;
  if (auto saved = shared_.records->put(unit_.name, record); !saved) {
    // Unrecorded, it could not be found again: better not to have it.
    child_->signal(SIGKILL);
    co_return tl::unexpected<Error>(std::move(saved).error());
  }
  started_at_ = std::time(nullptr);
  co_await wait_listening();
  co_await begin_watch();
  co_return up_event(UnitEvent::Kind::started);
}

asio::awaitable<void> ProcessUnit::begin_watch() {
  shown_health_.clear();
  const bool listens = find_listening();
  if (listens) co_await take_in();
  watch_ = std::make_unique<TaskGroup>(shared_.executor);
  watch_->spawn("supervisor: exit of " + unit_.name, watch_exit());
  if (!listens) watch_->spawn("supervisor: port of " + unit_.name, take_in_when_listening());
  if (has_command_check(unit_.spec)) watch_->spawn("supervisor: health of " + unit_.name, watch_health());
}

bool ProcessUnit::find_listening() {
  listening_.clear();
  if (port_ == 0) return true;
  if (!shared_.listening_address) {
    listening_ = shared_.writer->identity().address;
    return true;
  }
  if (auto found = shared_.listening_address(port_)) listening_ = std::move(*found);
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
    if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) co_return;
  }
  co_await take_in();
}

asio::awaitable<void> ProcessUnit::end_watch() {
  if (watch_) co_await watch_->stop();
}

asio::awaitable<void> ProcessUnit::watch_exit() {
  const process::ExitStatus status = co_await child_->wait();
  if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) co_return;
  UnitEvent event;
  event.kind = UnitEvent::Kind::exited;
  event.code = status.known ? status.code : 1;
  if (!status.known) event.detail = "ended (with what code is not known: an earlier devstack had started it)";
  if (status.signal != 0) event.detail = fmt::format("killed by signal {}", status.signal);
  ProcessRecord record;
  record.port = port_;
  (void)shared_.records->put(unit_.name, record);
  events(event);
  co_await take_out();
}

asio::awaitable<void> ProcessUnit::take_in() {
  auto identity = shared_.writer->identity();
  if (!listening_.empty()) identity.address = listening_;
  registered_ = process_service(unit_, identity, port_);
  if (!registered_) co_return;
  registry::Service service = *registered_;
  std::vector<registry::Check> checks;
  if (has_command_check(unit_.spec)) {
    registry::Check check;
    check.node = service.node;
    check.id = "service:" + service.id;
    check.name = fmt::format("Service '{}' check", service.name);
    check.service_id = service.id;
    check.service_name = service.name;
    check.agent_owned = true;
    check.type = "script";
    check.interval = format_duration(unit_.spec.healthcheck->interval);
    check.timeout = format_duration(unit_.spec.healthcheck->timeout);
    checks.push_back(std::move(check));
  }
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

asio::awaitable<void> ProcessUnit::watch_health() {
  const stack::Healthcheck check = *unit_.spec.healthcheck;
  health::ThresholdSettings settings;
  settings.retries = check.retries;
  settings.start_period = check.start_period;
  health::Threshold threshold(settings, shared_.clock->now());
  Instant counted = shared_.clock->now();
  while (process::alive(child_->identity())) {
    const bool eager = threshold.health() == health::Health::starting;
    const std::chrono::nanoseconds pause =
        eager ? std::min<std::chrono::nanoseconds>(check.interval, eager_interval) : check.interval;
    process::Spec spec = process_spec(unit_, shared_.context, port_);
    spec.argv = health::command_of(check.test);
    const health::ProbeResult result = co_await health::probe_command(std::move(spec), to_ms(check.timeout));
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
        if (!healthy) event.detail = "health check fails: " + result.output;
        events(event);
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

asio::awaitable<Result<void>> ProcessUnit::halt(Grace grace) {
  co_await end_watch();
  co_await take_out();
  if (!child_) co_return Result<void>();
  const auto number = process::parse_signal(unit_.spec.stop_signal.empty() ? "SIGTERM" : unit_.spec.stop_signal);
  const milliseconds limit = grace ? milliseconds(*grace) : to_ms(unit_.spec.stop_grace_period);
  const process::Identity identity = child_->identity();
  co_await child_->stop(number.value_or(SIGTERM), limit);
  child_.reset();
  if (process::alive(identity)) {
    co_return fail(Errc::failed, "process {} does not end, not even by SIGKILL (it hangs in the kernel)", identity.pid);
  }
  ProcessRecord record;
  record.port = port_;
  co_return shared_.records->put(unit_.name, record);
}

asio::awaitable<Result<void>> ProcessUnit::remove() {
  // One that was never adopted still runs; after halt() the record names no process.
  const auto record = shared_.records->find(unit_.name);
  if (record && !child_) co_await stop_stray(shared_.executor, *record, std::chrono::seconds(10));
  co_return shared_.records->erase(unit_.name);
}

asio::awaitable<Result<void>> ProcessUnit::signal(int number) {
  if (!child_) co_return fail(Errc::conflict, "{} does not run", unit_.name);
  child_->signal(number);
  co_return Result<void>();
}

asio::awaitable<void> ProcessUnit::detach() {
  co_await end_watch();
  child_.reset();
}

void ProcessUnit::describe(UnitStatus& status) const {
  status.type = UnitType::process;
  const bool lives = status.state == UnitState::starting || status.state == UnitState::running ||
                     status.state == UnitState::unhealthy || status.state == UnitState::stopping;
  if (!child_ || !lives) return;
  status.id = std::to_string(child_->identity().pid);
  status.started_at = started_at_;
  if (port_ != 0 && !listening_.empty()) status.addresses.push_back(fmt::format("{}:{}", listening_, port_));
}

asio::awaitable<void> stop_stray(asio::any_io_executor executor, ProcessRecord record, std::chrono::seconds grace) {
  if (record.identity.pid == 0) co_return;
  auto stray = process::Child::adopt(executor, record.identity);
  if (!stray) co_return;
  const auto child = std::move(*stray);
  co_await child->stop(SIGTERM, grace);
}

}  // namespace devstack::supervisor
