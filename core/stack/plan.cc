#include "core/stack/plan.h"

#include <algorithm>

#include "core/stack/describe.h"
#include "core/stack/read.h"

namespace devstack::stack {
namespace {

Result<UnitKind> kind_of(const ServiceSpec& service, EngineAvailable engine) {
  if (service.image.empty()) return UnitKind::process;
  if (engine == EngineAvailable::yes) return UnitKind::container;
  if (service.process) return UnitKind::process;
  return fail_at(service.at, Errc::docker_unreachable,
                 "services.{} needs Docker and no engine answers: start Docker, or give it an `x-process` stand-in",
                 service.name);
}

PlannedUnit unit_of(const ServiceSpec& service, UnitKind kind, int number) {
  PlannedUnit unit{.name = number == 1 ? service.name : fmt::format("{}-{}", service.name, number),
                   .service = service.name,
                   .number = number,
                   .kind = kind,
                   .spec = service,
                   .config_hash = {}};
  // The image's health check looks at the inside of the container that is not there.
  if (kind == UnitKind::process && !service.image.empty()) unit.spec.healthcheck = service.process->healthcheck;
  unit.config_hash = config_hash(unit.spec, kind);
  return unit;
}

}  // namespace

Result<Plan> make_plan(const StackFile& file, EngineAvailable engine) {
  TRY(const std::vector<std::string> order, start_order(file.services));
  Plan plan;
  plan.project = file.project;
  plan.network = file.project + "_default";
  plan.project_dir = file.project_dir;
  plan.files = {file.path};
  for (const auto& name : order) {
    const auto& service = file.services.at(name);
    TRY(const UnitKind kind, kind_of(service, engine));
    for (int number = 1; number <= service.scale; ++number) plan.units.push_back(unit_of(service, kind, number));
  }
  return plan;
}

PlanDiff diff(const Plan& running, const Plan& wanted) {
  const auto find = [](const Plan& plan, const std::string& name) {
    const auto at =
        std::find_if(plan.units.begin(), plan.units.end(), [&](const PlannedUnit& unit) { return unit.name == name; });
    return at == plan.units.end() ? nullptr : &*at;
  };
  PlanDiff changes;
  for (const auto& unit : wanted.units) {
    const auto* now = find(running, unit.name);
    if (now == nullptr) {
      changes.create.push_back(unit);
    } else if (now->config_hash != unit.config_hash) {
      changes.recreate.push_back(unit);
    }
  }
  for (auto unit = running.units.rbegin(); unit != running.units.rend(); ++unit) {
    if (find(wanted, unit->name) == nullptr) changes.remove.push_back(unit->name);
  }
  return changes;
}

}  // namespace devstack::stack
