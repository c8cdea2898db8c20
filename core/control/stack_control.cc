#include "core/control/stack_control.h"

namespace devstack::control {

Result<supervisor::Startup> StackControl::startup(const std::string&) const {
  return fail(Errc::unavailable, "not available here");
}

asio::awaitable<Result<void>> StackControl::carry_out(UnitOrder order) {
  switch (order.action) {
    case UnitAction::stop:
      return stop_unit(std::move(order.name));
    case UnitAction::start:
      return start_unit(std::move(order.name));
    case UnitAction::restart:
      return restart_unit(std::move(order.name));
    case UnitAction::pause:
    case UnitAction::unpause:
    case UnitAction::kill:
    case UnitAction::remove:
      break;
  }
  return []() -> asio::awaitable<Result<void>> { co_return fail(Errc::unavailable, "not available here"); }();
}

asio::awaitable<Result<void>> SupervisorControl::carry_out(UnitOrder order) {
  switch (order.action) {
    case UnitAction::stop:
      return supervisor_.stop_unit(std::move(order.name), order.grace);
    case UnitAction::start:
      return supervisor_.start_unit(std::move(order.name));
    case UnitAction::restart:
      return supervisor_.restart_unit(std::move(order.name), order.grace, order.restart);
    case UnitAction::pause:
      return supervisor_.pause_unit(std::move(order.name));
    case UnitAction::unpause:
      return supervisor_.resume_unit(std::move(order.name));
    case UnitAction::kill:
      return supervisor_.signal_unit(std::move(order.name), std::move(order.signal));
    case UnitAction::remove:
      break;
  }
  return supervisor_.remove_unit(std::move(order.name), order.volumes);
}

}  // namespace devstack::control
