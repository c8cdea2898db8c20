#pragma once

#include "core/control/stack_control.h"
#include "core/supervisor/projects.h"

namespace devstack::control {

/// Several projects as the one stack that the control API shows. The projects outlive it.
class ProjectsControl final : public StackControl {
 public:
  explicit ProjectsControl(supervisor::Projects& projects) : projects_(projects) {}
  [[nodiscard]] supervisor::Status status() const override { return projects_.status(); }
  [[nodiscard]] Result<supervisor::Startup> startup(const std::string& project) const override {
    return projects_.startup(project);
  }
  Signal& changed() override { return projects_.changed(); }
  asio::awaitable<Result<void>> stop_unit(std::string name) override { return projects_.stop_unit(std::move(name)); }
  asio::awaitable<Result<void>> start_unit(std::string name) override { return projects_.start_unit(std::move(name)); }
  asio::awaitable<Result<void>> restart_unit(std::string name) override {
    return projects_.restart_unit(std::move(name));
  }
  asio::awaitable<Result<void>> carry_out(UnitOrder order) override {
    switch (order.action) {
      case UnitAction::stop:
        return projects_.stop_unit(std::move(order.name), order.grace);
      case UnitAction::start:
        return projects_.start_unit(std::move(order.name));
      case UnitAction::restart:
        return projects_.restart_unit(std::move(order.name), order.grace, order.restart);
      case UnitAction::pause:
        return projects_.pause_unit(std::move(order.name));
      case UnitAction::unpause:
        return projects_.resume_unit(std::move(order.name));
      case UnitAction::kill:
        return projects_.signal_unit(std::move(order.name), std::move(order.signal));
      case UnitAction::remove:
        break;
    }
    return projects_.remove_unit(std::move(order.name), order.volumes);
  }
  [[nodiscard]] std::string log_file(const std::string& unit) const override { return projects_.log_file(unit); }

 private:
  supervisor::Projects& projects_;
};

}  // namespace devstack::control
