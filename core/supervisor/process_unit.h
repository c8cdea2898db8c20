#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "core/base/async/task_group.h"
#include "core/health/probe.h"
#include "core/registry/registry.h"
#include "core/stack/plan.h"
#include "core/supervisor/backend.h"
#include "core/supervisor/path_watch.h"
#include "core/supervisor/process_spec.h"
#include "core/supervisor/ready_line.h"
#include "core/supervisor/records.h"

namespace devstack::supervisor {

/// What all process units of a supervisor share; it outlives them.
struct ProcessShared {
  asio::any_io_executor executor;
  Clock* clock = nullptr;
  Records* records = nullptr;
  registry::RegistryWriter* writer = nullptr;
  std::function<std::optional<std::string>(std::uint16_t)> listening_address;
  ProcessContext context;
  std::string log_dir;
};

/// A host process as a unit: found again by its record; ready, when it says so in its log (`ready_log_line`); in the
/// registry while it runs and is ready; out of use while its health check fails; ended, to be started again, when its
/// liveness check fails or a watched path changes. While it is paused (SIGSTOP to its group) it is out of the registry
/// and its checks rest. process_unit.cc starts and ends it, process_watch.cc looks after it.
class ProcessUnit final : public Backend {
 public:
  ProcessUnit(ProcessShared& shared, stack::PlannedUnit unit);
  ~ProcessUnit() override;
  asio::awaitable<std::optional<UnitEvent>> adopt() override;
  asio::awaitable<Result<UnitEvent>> launch() override;
  asio::awaitable<Result<void>> halt(Grace grace) override;
  asio::awaitable<Result<void>> kill() override;
  asio::awaitable<Result<void>> remove() override;
  asio::awaitable<Result<void>> signal(int number) override;
  asio::awaitable<Result<void>> pause() override;
  asio::awaitable<Result<void>> resume() override;
  void plan_again(stack::PlannedUnit unit) override { planned_again_ = std::move(unit); }
  asio::awaitable<void> detach() override;
  void describe(UnitStatus& status) const override;
  [[nodiscard]] std::string log_file() const override;

 private:
  // --- process_unit.cc ---
  [[nodiscard]] const stack::ProcessSettings& settings() const;
  Result<std::uint16_t> choose_port() const;
  asio::awaitable<Result<void>> start_process();
  asio::awaitable<bool> run_stop_command(std::chrono::milliseconds limit);
  enum class Ending { as_it_wants, by_kill };
  asio::awaitable<Result<void>> end(Ending how, std::chrono::milliseconds grace);
  asio::awaitable<Result<void>> end_process(Ending how, std::chrono::milliseconds grace);
  [[nodiscard]] int stop_signal(Ending how) const;
  [[nodiscard]] std::chrono::milliseconds grace_period() const;
  [[nodiscard]] UnitEvent up_event(UnitEvent::Kind kind) const;
  Result<void> save_record();
  asio::awaitable<void> tell_paused();

  // --- process_watch.cc ---
  asio::awaitable<void> begin_watch();
  asio::awaitable<void> end_watch();
  asio::awaitable<void> watch_exit();
  asio::awaitable<void> watch_ready();
  asio::awaitable<void> watch_health();
  asio::awaitable<void> watch_liveness();
  asio::awaitable<void> give_up(std::string why);
  asio::awaitable<health::ProbeResult> probe(const stack::Healthcheck& check);
  void became_ready();
  asio::awaitable<void> begin_use();
  asio::awaitable<void> while_paused();
  [[nodiscard]] bool find_listening();
  asio::awaitable<void> wait_listening();
  asio::awaitable<void> take_in_when_listening();
  asio::awaitable<void> take_in();
  asio::awaitable<void> take_out();
  asio::awaitable<void> show_health(health::Outcome outcome, std::string output);
  void begin_file_watch();
  asio::awaitable<void> end_file_watch();
  asio::awaitable<void> watch_files();

  ProcessShared& shared_;
  stack::PlannedUnit unit_;
  std::optional<stack::PlannedUnit> planned_again_;  ///< takes the place of unit_ at the next launch
  ProcessRecord record_;
  std::unique_ptr<process::Child> child_;
  std::unique_ptr<TaskGroup> watch_;  ///< of one run of the process
  std::unique_ptr<PathWatch> paths_;
  std::unique_ptr<TaskGroup> file_watch_;  ///< from the first start to a stop: what failed waits for a change, too
  std::string given_up_;                   ///< why we end it ourselves
  std::string listening_;                  ///< where others reach it; "" while it does not listen
  std::optional<registry::Service> registered_;
  std::string shown_health_;
  std::int64_t started_at_ = 0;
  std::optional<int> last_code_;  ///< of the process that end_process() ended
  bool paused_ = false;
  bool returns_ = false;  ///< paused: it was in the registry
};

/// Stops what a record names (a process of a unit that is no longer wanted, or wanted otherwise) and what that started,
/// by SIGTERM and, after `grace`, SIGKILL.
asio::awaitable<void> stop_stray(asio::any_io_executor executor, ProcessRecord record, std::chrono::seconds grace);

}  // namespace devstack::supervisor
