#include "cmd/devstack/service_units.h"

#include <set>
#include <vector>

#include "cmd/devstack/paths.h"
#include "core/base/suggest.h"
#include "core/control/client.h"

namespace devstack {
namespace {

using supervisor::Status;
using supervisor::UnitState;
using supervisor::UnitStatus;

bool is_up(const UnitStatus& unit) {
  return unit.state == UnitState::running || unit.state == UnitState::unhealthy || unit.state == UnitState::starting;
}

/// "web-2" is number 2 of "web", "web" its number 1.
bool has_number(const UnitStatus& unit, int index) {
  const auto wanted = index == 1 ? unit.service : fmt::format("{}-{}", unit.service, index);
  return unit.name == wanted;
}

Error unknown(const Status& status, const std::string& name) {
  std::set<std::string> services;
  for (const auto& unit : status.services) services.insert(unit.service);
  const std::vector<std::string_view> names(services.begin(), services.end());
  const auto near = nearest(name, names);
  return Error{Errc::not_found, near ? fmt::format("no service \"{}\": did you mean \"{}\"?", name, *near)
                                     : fmt::format("no service \"{}\": there are {}", name, fmt::join(names, ", "))};
}

}  // namespace

Result<UnitStatus> unit_of_service(const Status& status, const std::string& name, int index) {
  const UnitStatus* found = nullptr;
  bool known = false;
  for (const auto& unit : status.services) {
    if (unit.service != name && unit.name != name) continue;
    known = true;
    const bool meant = unit.name == name ? index <= 1 : index == 0;
    if (index > 0 ? has_number(unit, index) || meant : meant || unit.service == name) {
      // The first that is up, or if none is the first.
      if (found == nullptr || (index == 0 && !is_up(*found) && is_up(unit))) found = &unit;
    }
  }
  if (found != nullptr) return *found;
  if (known) return fail(Errc::not_found, "{} has no instance {}", name, index);
  return tl::unexpected<Error>(unknown(status, name));
}

Result<void> must_be_container(const UnitStatus& unit) {
  if (unit.type != supervisor::UnitType::container) {
    return fail(Errc::conflict, "{} is a host process: this works on containers", unit.name);
  }
  if (unit.id.empty()) return fail(Errc::conflict, "{} has no container yet", unit.name);
  return {};
}

asio::awaitable<Result<Status>> running_status() {
  const control::ControlClient client(state_dir());
  co_return co_await client.status();
}

}  // namespace devstack
