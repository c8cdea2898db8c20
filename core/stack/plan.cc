#include "core/stack/plan.h"

#include <algorithm>
#include <set>

#include "core/stack/describe.h"
#include "core/stack/read.h"

namespace devstack::stack {
namespace {

Result<UnitKind> kind_of(const ServiceSpec& service, EngineAvailable engine) {
  if (!service.containerised()) return UnitKind::process;
  if (engine == EngineAvailable::yes) return UnitKind::container;
  if (service.process) return UnitKind::process;
  return fail_at(service.at, Errc::docker_unreachable,
                 "services.{} needs Docker and no engine answers: start Docker, or give it an `x-process` stand-in",
                 service.name);
}

/// What is in the configs and secrets that do not come from a file: they are copied into the container, so that a new
/// value needs a new one.
std::string granted_contents(const StackFile& file, const ServiceSpec& service) {
  std::string all;
  const auto add = [&](const std::vector<FileGrant>& grants, const std::map<std::string, FileDef>& defined) {
    for (const auto& grant : grants) {
      const auto found = defined.find(grant.source);
      if (found == defined.end() || found->second.external || !found->second.file.empty()) continue;
      all += fmt::format("\n{}:{}:{}", grant.target, found->second.content.size(), found->second.content);
    }
  };
  add(service.configs, file.configs);
  add(service.secrets, file.secrets);
  return all;
}

PlannedUnit unit_of(const StackFile& file, const ServiceSpec& service, UnitKind kind, int number) {
  PlannedUnit unit{.name = number == 1 ? service.name : fmt::format("{}-{}", service.name, number),
                   .service = service.name,
                   .number = number,
                   .kind = kind,
                   .spec = service,
                   .config_hash = {}};
  // The image's health check looks at the inside of the container that is not there.
  if (kind == UnitKind::process && service.containerised()) unit.spec.healthcheck = service.process->healthcheck;
  unit.config_hash =
      config_hash(unit.spec, kind, kind == UnitKind::container ? granted_contents(file, service) : std::string());
  return unit;
}

/// Adds what a service that is a container uses to the plan.
class Used {
 public:
  Used(const StackFile& file, Plan& plan) : file_(file), plan_(plan) {}

  void add(const ServiceSpec& service) {
    if (service.networks.empty() && service.network_mode.empty()) networks_.insert("default");
    for (const auto& network : service.networks) networks_.insert(network.network);
    for (const auto& mount : service.volumes) {
      if (mount.kind == MountKind::volume) volumes_.insert(mount.source);
    }
    grant(service.configs, file_.configs, plan_.configs);
    grant(service.secrets, file_.secrets, plan_.secrets);
    if (!service.build) return;
    for (const auto& secret : service.build->secrets) {
      if (const auto found = file_.secrets.find(secret); found != file_.secrets.end()) plan_.secrets.insert(*found);
    }
  }

  void finish() {
    for (const auto& [key, def] : file_.networks) {
      if (networks_.contains(key)) plan_.networks.push_back(def);
    }
    for (const auto& [key, def] : file_.volumes) {
      if (volumes_.contains(key)) plan_.volumes.push_back(def);
    }
  }

 private:
  static void grant(const std::vector<FileGrant>& grants, const std::map<std::string, FileDef>& defined,
                    std::map<std::string, FileDef>& into) {
    for (const auto& grant : grants) {
      if (const auto found = defined.find(grant.source); found != defined.end()) into.insert(*found);
    }
  }

  const StackFile& file_;
  Plan& plan_;
  std::set<std::string> networks_, volumes_;
};

}  // namespace

Result<Plan> make_plan(const StackFile& file, EngineAvailable engine) {
  TRY(const std::vector<std::string> order, start_order(file.services));
  Plan plan;
  plan.project = file.project;
  plan.project_dir = file.project_dir;
  plan.files = file.config_files.empty() ? Texts{file.path} : file.config_files;
  plan.env_files = file.env_files;
  Used used(file, plan);
  for (const auto& name : order) {
    const auto& service = file.services.at(name);
    TRY(const UnitKind kind, kind_of(service, engine));
    if (kind == UnitKind::container && service.scale > 0) used.add(service);
    for (int number = 1; number <= service.scale; ++number) plan.units.push_back(unit_of(file, service, kind, number));
  }
  used.finish();
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
