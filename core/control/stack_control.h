#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "core/base/async/signal.h"
#include "core/base/result.h"
#include "core/supervisor/supervisor.h"

namespace devstack::control {

namespace asio = boost::asio;

enum class UnitAction { stop, start, restart, pause, unpause, kill, remove };

/// What a user asks of a unit or of all units of a service.
struct UnitOrder {
  UnitAction action = UnitAction::stop;
  std::string name;
  std::optional<std::chrono::seconds> grace = std::nullopt;  ///< stop, restart: instead of its own
  std::string signal = "SIGKILL";                            ///< kill
  supervisor::Restart restart = supervisor::Restart::with_dependents;
  bool volumes = false;  ///< remove: anonymous volumes, too
};

/// What the control API needs of a running stack: supervisor::Supervisor through SupervisorControl below, or a script
/// (the demo page of tests/browser). Loop thread.
class StackControl {
 public:
  virtual ~StackControl() = default;
  [[nodiscard]] virtual supervisor::Status status() const = 0;
  /// How long the last `up` of a project took ("": of the first), and why. Errc::unavailable where that is not kept.
  [[nodiscard]] virtual Result<supervisor::Startup> startup(const std::string& project) const;
  /// Bumps when status() would say something else.
  virtual Signal& changed() = 0;
  virtual asio::awaitable<Result<void>> stop_unit(std::string name) = 0;
  virtual asio::awaitable<Result<void>> start_unit(std::string name) = 0;
  virtual asio::awaitable<Result<void>> restart_unit(std::string name) = 0;
  /// One of the three above without what the order adds to them, where this is not overridden.
  virtual asio::awaitable<Result<void>> carry_out(UnitOrder order);
  /// The log file of a process unit; "" for other units.
  [[nodiscard]] virtual std::string log_file(const std::string& unit) const = 0;
};

/// The real thing. The supervisor outlives it.
class SupervisorControl final : public StackControl {
 public:
  explicit SupervisorControl(supervisor::Supervisor& supervisor) : supervisor_(supervisor) {}
  [[nodiscard]] supervisor::Status status() const override { return supervisor_.status(); }
  [[nodiscard]] Result<supervisor::Startup> startup(const std::string&) const override { return supervisor_.startup(); }
  Signal& changed() override { return supervisor_.changed(); }
  asio::awaitable<Result<void>> stop_unit(std::string name) override { return supervisor_.stop_unit(std::move(name)); }
  asio::awaitable<Result<void>> start_unit(std::string name) override {
    return supervisor_.start_unit(std::move(name));
  }
  asio::awaitable<Result<void>> restart_unit(std::string name) override {
    return supervisor_.restart_unit(std::move(name));
  }
  asio::awaitable<Result<void>> carry_out(UnitOrder order) override;
  [[nodiscard]] std::string log_file(const std::string& unit) const override { return supervisor_.log_file(unit); }

 private:
  supervisor::Supervisor& supervisor_;
};

}  // namespace devstack::control
