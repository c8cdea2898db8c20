#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "core/base/async/task_group.h"
#include "core/health/threshold.h"
#include "core/registry/registry.h"
#include "core/stack/plan.h"
#include "core/supervisor/backend.h"
#include "core/supervisor/process_spec.h"
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

/// A host process as a unit: found again by its record, probed by its health check's command, and in the registry
/// while it runs.
class ProcessUnit final : public Backend {
 public:
  ProcessUnit(ProcessShared& shared, stack::PlannedUnit unit);
  ~ProcessUnit() override;
  asio::awaitable<std::optional<UnitEvent>> adopt() override;
  asio::awaitable<Result<UnitEvent>> launch() override;
  asio::awaitable<Result<void>> halt(Grace grace) override;
  asio::awaitable<Result<void>> remove() override;
  asio::awaitable<Result<void>> signal(int number) override;
  asio::awaitable<void> detach() override;
  void describe(UnitStatus& status) const override;
  [[nodiscard]] std::string log_file() const override;

 private:
  Result<std::uint16_t> choose_port() const;
  asio::awaitable<void> begin_watch();
  asio::awaitable<void> end_watch();
  asio::awaitable<void> watch_exit();
  asio::awaitable<void> watch_health();
  [[nodiscard]] bool find_listening();
  asio::awaitable<void> wait_listening();
  asio::awaitable<void> take_in_when_listening();
  asio::awaitable<void> take_in();
  asio::awaitable<void> take_out();
  asio::awaitable<void> show_health(health::Outcome outcome, std::string output);
  [[nodiscard]] UnitEvent up_event(UnitEvent::Kind kind) const;

  ProcessShared& shared_;
  stack::PlannedUnit unit_;
  std::unique_ptr<process::Child> child_;
  std::unique_ptr<TaskGroup> watch_;
  std::uint16_t port_ = 0;
  std::string listening_;  ///< where others reach it; "" while it does not listen
  std::optional<registry::Service> registered_;
  std::string shown_health_;
  std::int64_t started_at_ = 0;
};

/// Stops what a record names (a process of a unit that is no longer wanted, or wanted otherwise), by SIGTERM and, after
/// `grace`, SIGKILL.
asio::awaitable<void> stop_stray(asio::any_io_executor executor, ProcessRecord record, std::chrono::seconds grace);

}  // namespace devstack::supervisor
