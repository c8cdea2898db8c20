#pragma once

#include <map>
#include <string>
#include <utility>

#include "core/base/async/clock.h"
#include "core/control/stack_control.h"

namespace devstack::test {

/// A stack whose status the test writes.
class ScriptedStack final : public control::StackControl {
 public:
  explicit ScriptedStack(asio::any_io_executor loop) : changed_(std::move(loop)) {}
  [[nodiscard]] supervisor::Status status() const override { return now; }
  Signal& changed() override { return changed_; }
  asio::awaitable<Result<void>> stop_unit(std::string name) override { return act("stop", std::move(name)); }
  asio::awaitable<Result<void>> start_unit(std::string name) override { return act("start", std::move(name)); }
  asio::awaitable<Result<void>> restart_unit(std::string name) override { return act("restart", std::move(name)); }
  [[nodiscard]] std::string log_file(const std::string& unit) const override {
    const auto found = log_files.find(unit);
    return found == log_files.end() ? std::string() : found->second;
  }

  supervisor::UnitStatus& add(std::string name, supervisor::UnitType type) {
    supervisor::UnitStatus unit;
    unit.name = unit.service = std::move(name);
    unit.project = "demo";
    unit.type = type;
    unit.state = supervisor::UnitState::running;
    now.services.push_back(unit);
    changed_.bump();
    return now.services.back();
  }

  supervisor::Status now;
  std::map<std::string, std::string> log_files;
  std::vector<std::string> done;  ///< "stop hello", in the order in which they ended
  std::chrono::milliseconds action_takes{0};

 private:
  asio::awaitable<Result<void>> act(std::string action, std::string name) {
    if (action_takes.count() > 0) co_await steady_clock().sleep_for(action_takes);
    if (name == "ghost") co_return fail(Errc::not_found, "no service \"ghost\"");
    done.push_back(action + " " + name);
    co_return Result<void>();
  }

  Signal changed_;
};

}  // namespace devstack::test
