#include "core/supervisor/component_unit.h"

#include <ctime>

namespace devstack::supervisor {

ComponentUnit::ComponentUnit(Component& component, std::function<void()> changed) : component_(component) {
  component_.on_change = std::move(changed);
}

ComponentUnit::~ComponentUnit() { component_.on_change = nullptr; }

asio::awaitable<Result<UnitEvent>> ComponentUnit::launch() {
  error_.reset();
  auto started = co_await component_.start();
  if (!started) {
    error_ = started.error();
    // Not worth a retry by itself, whatever the code: `up` is to say it at once.
    co_return fail(Errc::failed, "{}", started.error().message);
  }
  started_at_ = std::time(nullptr);
  UnitEvent event;
  event.kind = UnitEvent::Kind::started;
  co_return event;
}

asio::awaitable<Result<void>> ComponentUnit::halt(Grace) {
  co_await component_.stop();
  co_return Result<void>();
}

void ComponentUnit::describe(UnitStatus& status) const {
  status.type = UnitType::component;
  if (status.state != UnitState::running) return;
  ComponentReport report = component_.report();
  status.addresses = std::move(report.addresses);
  status.links = std::move(report.links);
  status.degraded = report.degraded;
  if (status.detail.empty()) status.detail = std::move(report.detail);
  status.started_at = started_at_;
}

}  // namespace devstack::supervisor
