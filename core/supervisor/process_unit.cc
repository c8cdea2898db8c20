#include "core/supervisor/process_unit.h"

#include <signal.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "core/base/log.h"
#include "core/process/marked.h"

namespace devstack::supervisor {
namespace {

using std::chrono::milliseconds;
/// In the environment of a process and of all that it starts.
constexpr const char* marker_name = "DEVSTACK_RUN";
constexpr std::size_t stop_output_bytes = 4096;

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

std::uint64_t size_of(const std::string& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  return error ? 0 : size;
}

}  // namespace

ProcessUnit::ProcessUnit(ProcessShared& shared, stack::PlannedUnit unit) : shared_(shared), unit_(std::move(unit)) {
  const auto record = shared_.records->find(unit_.name);
  if (!record) return;
  record_ = *record;
  record_.identity = {};
}

ProcessUnit::~ProcessUnit() = default;

std::string ProcessUnit::log_file() const { return shared_.log_dir + "/" + unit_.name + ".log"; }

const stack::ProcessSettings& ProcessUnit::settings() const {
  static const stack::ProcessSettings none;
  return unit_.spec.process ? *unit_.spec.process : none;
}

milliseconds ProcessUnit::grace_period() const { return to_ms(unit_.spec.stop_grace_period); }

Result<void> ProcessUnit::save_record() { return shared_.records->put(unit_.name, record_); }

UnitEvent ProcessUnit::up_event(UnitEvent::Kind kind) const {
  UnitEvent event;
  event.kind = kind;
  const bool says_so = !settings().ready_log_line.empty();
  if (says_so || has_command_check(unit_.spec)) event.health = record_.ready ? "healthy" : "starting";
  if (says_so && !record_.ready) event.detail = fmt::format("waits for a log line with {}", settings().ready_log_line);
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
  record_ = *record;
  paused_ = returns_ = process::stopped(record_.identity);
  started_at_ = unix_start(record_.identity);
  begin_file_watch();
  co_await begin_watch();
  if (paused_) watch_->spawn("supervisor: pause of " + unit_.name, tell_paused());
  log::info("supervisor", "{}: taken back, pid {}", unit_.name, record_.identity.pid);
  co_return up_event(UnitEvent::Kind::adopted);
}

Result<std::uint16_t> ProcessUnit::choose_port() const {
  if (!settings().auto_port) return settings().port;
  if (record_.port != 0 && port_is_free(record_.port)) return record_.port;
  return any_free_port();
}

asio::awaitable<Result<void>> ProcessUnit::start_process() {
  CO_TRY(record_.port, choose_port());
  record_.config_hash = unit_.config_hash;
  record_.marker = process::new_marker(marker_name);
  record_.ready = false;
  record_.log_offset = size_of(log_file());
  process::Spec spec = process_spec(unit_, shared_.context, record_.port);
  spec.log_file = log_file();
  spec.env[marker_name] = record_.marker.substr(record_.marker.find('=') + 1);
  CO_TRY(child_, process::Child::start(shared_.executor, std::move(spec)));
  record_.identity = child_->identity();
  if (auto saved = save_record(); !saved) {
    // Unrecorded, it could not be found again: better not to have it.
    child_->signal(SIGKILL);
    co_return tl::unexpected<Error>(std::move(saved).error());
  }
  started_at_ = std::time(nullptr);
  given_up_.clear();
  co_return Result<void>();
}

asio::awaitable<Result<UnitEvent>> ProcessUnit::launch() {
  co_await end_watch();
  if (planned_again_) {
    co_await end_file_watch();
    unit_ = std::move(*std::exchange(planned_again_, std::nullopt));
  }
  // What outlived the process would hold its port: members of its group, and who has left that.
  if (child_) co_await child_->stop(SIGKILL, milliseconds(0));
  child_.reset();
  CO_CHECK(co_await process::end_marked(record_.marker, SIGKILL, milliseconds(0)));
  const auto& ready = settings().ready_log_line;
  if (!ready.empty()) {
    CO_TRY([[maybe_unused]] const auto line, ReadyLine::make(ready));
  }
  begin_file_watch();  // before the start: a change from here on is not in what is started
  CO_CHECK(co_await start_process());
  if (record_.port != 0) enter(StartPhase::listen);
  if (settings().ready_log_line.empty()) co_await wait_listening();
  co_await begin_watch();
  co_return up_event(UnitEvent::Kind::started);
}

/// True when it did what it is there for: to ask the process to end.
asio::awaitable<bool> ProcessUnit::run_stop_command(milliseconds limit) {
  process::Spec spec = stop_spec(unit_, shared_.context, record_.port, child_->identity().pid);
  const std::string name = spec.argv[0];
  auto ran = co_await process::capture(std::move(spec), limit, stop_output_bytes);
  if (!ran) {
    log::warn("supervisor", "{}: stop_command: {}", unit_.name, ran.error().message);
    co_return false;
  }
  if (!ran->timed_out && ran->exit_code == 0) co_return true;
  const std::string what = ran->timed_out ? "did not end in time" : fmt::format("exit code {}", ran->exit_code);
  log::warn("supervisor", "{}: stop_command {}: {}: {}", unit_.name, name, what, ran->output);
  co_return false;
}

int ProcessUnit::stop_signal(Ending how) const {
  if (how == Ending::by_kill) return SIGKILL;
  return process::parse_signal(unit_.spec.stop_signal.empty() ? "SIGTERM" : unit_.spec.stop_signal).value_or(SIGTERM);
}

asio::awaitable<Result<void>> ProcessUnit::end_process(Ending how, milliseconds grace) {
  const process::Identity identity = child_->identity();
  const Instant end = shared_.clock->now() + grace;
  const auto left = [&] {
    return std::max(milliseconds(0), std::chrono::duration_cast<milliseconds>(end - shared_.clock->now()));
  };
  const int number = stop_signal(how);
  const bool by_command = how == Ending::as_it_wants && !settings().stop_command.empty();
  bool asked = false;
  if (by_command && process::alive(identity)) asked = co_await run_stop_command(grace);
  if (!asked) process::signal_marked(record_.marker, number, identity.pid);
  const auto ended = co_await child_->stop(asked ? 0 : number, left());
  CO_CHECK(co_await process::end_marked(record_.marker, asked ? number : 0, left()));
  if (process::alive(identity)) {
    co_return fail(Errc::failed, "process {} does not end, not even by SIGKILL (it hangs in the kernel)", identity.pid);
  }
  last_code_ = ended.known ? std::optional(ended.code) : std::nullopt;
  co_return Result<void>();
}

asio::awaitable<Result<void>> ProcessUnit::halt(Grace grace) {
  co_return co_await end(Ending::as_it_wants, grace ? milliseconds(*grace) : grace_period());
}

asio::awaitable<Result<void>> ProcessUnit::kill() { co_return co_await end(Ending::by_kill, milliseconds(0)); }

asio::awaitable<Result<void>> ProcessUnit::end(Ending how, milliseconds grace) {
  co_await end_file_watch();
  co_await end_watch();
  co_await take_out();
  if (!child_) co_return Result<void>();
  // Held, it would hear of nothing but SIGKILL.
  if (std::exchange(paused_, false)) child_->signal(SIGCONT);
  auto ended = co_await end_process(how, grace);
  if (!ended) co_return ended;
  if (last_code_) {
    UnitEvent told;
    told.kind = UnitEvent::Kind::exited;
    told.code = *last_code_;
    events(told);
  }
  child_.reset();
  record_.identity = {};
  record_.marker.clear();
  co_return save_record();
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

asio::awaitable<Result<void>> ProcessUnit::pause() {
  if (!child_) co_return fail(Errc::conflict, "{} does not run", unit_.name);
  child_->signal(SIGSTOP);
  paused_ = true;
  returns_ = registered_.has_value();
  co_await take_out();
  co_return Result<void>();
}

asio::awaitable<Result<void>> ProcessUnit::resume() {
  if (!child_) co_return fail(Errc::conflict, "{} does not run", unit_.name);
  child_->signal(SIGCONT);
  paused_ = false;
  if (std::exchange(returns_, false)) co_await take_in();
  co_return Result<void>();
}

asio::awaitable<void> ProcessUnit::tell_paused() {
  co_await take_out();
  UnitEvent event;
  event.kind = UnitEvent::Kind::paused;
  events(event);
}

asio::awaitable<void> ProcessUnit::detach() {
  co_await end_file_watch();
  co_await end_watch();
  child_.reset();
}

void ProcessUnit::describe(UnitStatus& status) const {
  status.type = UnitType::process;
  const bool lives = status.state == UnitState::starting || status.state == UnitState::running ||
                     status.state == UnitState::unhealthy || status.state == UnitState::stopping ||
                     status.state == UnitState::paused;
  if (!child_ || !lives) return;
  status.id = std::to_string(child_->identity().pid);
  status.started_at = started_at_;
  if (record_.port != 0 && !listening_.empty()) {
    status.addresses.push_back(fmt::format("{}:{}", listening_, record_.port));
  }
}

asio::awaitable<void> stop_stray(asio::any_io_executor executor, ProcessRecord record, std::chrono::seconds grace) {
  const Instant end = steady_clock().now() + grace;
  process::signal_marked(record.marker, SIGTERM, record.identity.pid);
  if (record.identity.pid != 0) {
    auto stray = process::Child::adopt(executor, record.identity);
    if (stray) {
      const auto child = std::move(*stray);
      co_await child->stop(SIGTERM, grace);
    }
  }
  const auto left = std::chrono::duration_cast<milliseconds>(end - steady_clock().now());
  const auto ended = co_await process::end_marked(record.marker, 0, std::max(milliseconds(0), left));
  if (!ended) log::warn("supervisor", "{}", ended.error().message);
}

}  // namespace devstack::supervisor
