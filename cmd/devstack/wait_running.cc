#include "cmd/devstack/wait_running.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "cmd/devstack/paths.h"
#include "core/base/async/clock.h"
#include "core/control/client.h"

namespace devstack {

asio::awaitable<Result<void>> wait_running(std::string project, std::vector<std::string> services,
                                           std::chrono::seconds limit) {
  const control::ControlClient client(state_dir());
  std::string wrong;
  std::function<bool(const supervisor::Status&)> look = [&](const supervisor::Status& status) {
    if (status.converging) return true;  // what is said meanwhile is how it was
    bool all = true;
    for (const auto& unit : status.services) {
      if (unit.project != project) continue;
      if (std::find(services.begin(), services.end(), unit.service) == services.end()) continue;
      all = all && supervisor::settled_well(unit.state);
      if (unit.state == supervisor::UnitState::failed) wrong = fmt::format("{}: {}", unit.name, unit.detail);
    }
    return !all && wrong.empty();
  };
  auto watched = co_await client.watch(std::move(look), steady_clock().now() + limit);
  if (!wrong.empty()) co_return fail(Errc::failed, "{}", wrong);
  if (!watched && watched.error().code == Errc::timeout) {
    co_return fail(Errc::unhealthy, "not healthy in time: {}", fmt::join(services, ", "));
  }
  co_return watched;
}

}  // namespace devstack
