#include "cmd/devstack/settle.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "cmd/devstack/paths.h"
#include "cmd/devstack/status_text.h"
#include "core/base/duration.h"

namespace devstack {
namespace {

using namespace std::chrono_literals;
using supervisor::Status;
using supervisor::UnitState;
using supervisor::UnitStatus;

/// Says each unit once when it settles, and again when that changes.
class Progress {
 public:
  explicit Progress(bool quiet) : quiet_(quiet) {}

  void show(const Status& status) {
    if (quiet_ || status.converging) return;  // what is shown meanwhile is how it was
    std::size_t width = 10;
    for (const auto* list : {&status.components, &status.services}) {
      for (const auto& unit : *list) width = std::max(width, unit.name.size());
    }
    for (const auto* list : {&status.components, &status.services}) {
      for (const auto& unit : *list) say(unit, width);
    }
    std::fflush(stdout);
  }

 private:
  void say(const UnitStatus& unit, std::size_t width) {
    const bool worth =
        supervisor::settled(unit.state) || unit.state == UnitState::backoff || unit.state == UnitState::unhealthy;
    auto& shown = shown_[unit.name];
    if (!worth || shown == unit.state) return;
    shown = unit.state;
    fmt::print("{}\n", unit_line(unit, width));
  }

  bool quiet_;
  std::map<std::string, UnitState> shown_;
};

bool is_named(const std::vector<std::string>& services, const UnitStatus& unit) {
  return std::find(services.begin(), services.end(), unit.service) != services.end();
}

/// Those services of it; all where none is named.
Status part_of(Status status, const std::vector<std::string>& services) {
  if (services.empty()) return status;
  std::erase_if(status.services, [&](const UnitStatus& unit) { return !is_named(services, unit); });
  return status;
}

/// What is unhealthy may become healthy, but where something has failed, that is no longer waited for.
bool all_settled(const Status& status) {
  if (status.converging) return false;
  bool failed = false, unhealthy = false;
  for (const auto* list : {&status.components, &status.services}) {
    for (const auto& unit : *list) {
      failed = failed || unit.state == UnitState::failed;
      unhealthy = unhealthy || unit.state == UnitState::unhealthy;
      if (!supervisor::settled(unit.state) && unit.state != UnitState::unhealthy) return false;
    }
  }
  return failed || !unhealthy;
}

std::string what_is_wrong(const Status& status, bool no_start) {
  std::string out;
  for (const auto* list : {&status.components, &status.services}) {
    for (const auto& unit : *list) {
      if (supervisor::settled_well(unit.state) || (no_start && unit.state == UnitState::stopped)) continue;
      out += fmt::format("{}{} is {}{}", out.empty() ? "" : "\n  ", unit.name, supervisor::to_string(unit.state),
                         unit.detail.empty() ? "" : ": " + unit.detail);
    }
  }
  return out;
}

}  // namespace

void add_wait_flags(CLI::App& command, WaitFlags& flags) {
  command.add_flag("--no-wait", flags.no_wait, "return once all is begun, not when it is healthy");
  command.add_option("--wait-timeout", flags.timeout, "how long to wait for health (default 120s)");
}

Result<Instant::duration> wait_limit(const WaitFlags& flags) {
  const auto limit = parse_duration(flags.timeout);
  if (!limit) return fail(Errc::usage, "--wait-timeout: {}", limit.error().message);
  return std::chrono::duration_cast<Instant::duration>(*limit);
}

asio::awaitable<Result<Status>> wait_settled(control::ControlClient client, Awaited what) {
  const auto& services = what.services;
  Progress progress(what.quiet);
  for (;;) {
    CO_TRY(auto all, co_await client.status());
    auto status = part_of(supervisor::of_project(std::move(all), what.project), services);
    progress.show(status);
    const bool settled = all_settled(status);
    const auto wrong = what_is_wrong(status, what.no_start);
    // Of a part, others may be as they like. Of all, settled and well but not healthy is a route that is on its way.
    if ((!services.empty() || what.no_start) && settled) status.healthy = wrong.empty();
    if (status.healthy) co_return status;
    if (settled && !wrong.empty()) {
      co_return fail(Errc::failed,
                     "not everything runs:\n  {}\nthe rest is up; see: devstack status, devstack logs NAME", wrong);
    }
    if (std::chrono::steady_clock::now() >= what.deadline) {
      co_return fail(Errc::unhealthy, "not healthy in time:\n  {}\nit goes on starting; see: devstack status", wrong);
    }
    co_await steady_clock().sleep_for(50ms);
  }
}

asio::awaitable<Result<void>> wait_running(std::string project, std::vector<std::string> services,
                                           std::chrono::seconds limit) {
  const control::ControlClient client(state_dir());
  std::string wrong;
  std::function<bool(const supervisor::Status&)> look = [&](const supervisor::Status& status) {
    if (status.converging) return true;  // what is said meanwhile is how it was
    bool all = true;
    for (const auto& unit : status.services) {
      if (unit.project != project) continue;
      if (!is_named(services, unit)) continue;
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
