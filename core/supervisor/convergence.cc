#include <algorithm>
#include <set>

#include "core/base/log.h"
#include "core/supervisor/supervisor_impl.h"

namespace devstack::supervisor {
namespace {

using namespace std::chrono_literals;
constexpr auto stray_grace = 10s;

const stack::PlannedUnit* find_planned(const stack::Plan& plan, const std::string& name) {
  const auto at = std::find_if(plan.units.begin(), plan.units.end(), [&](const auto& u) { return u.name == name; });
  return at == plan.units.end() ? nullptr : &*at;
}

bool is_down(UnitState state) { return state == UnitState::stopped || state == UnitState::pending; }

bool depends_on(const Unit& unit, const std::string& service) {
  return std::any_of(unit.depends_on().begin(), unit.depends_on().end(),
                     [&](const auto& dependency) { return dependency.service == service; });
}

std::string label_of(const docker::StringMap& labels, const char* key) {
  const auto at = labels.find(key);
  return at == labels.end() ? std::string() : at->second;
}

std::vector<std::string> names_of(const stack::Plan& plan, stack::UnitKind kind) {
  std::vector<std::string> names;
  for (const auto& unit : plan.units) {
    if (unit.kind == kind) names.push_back(unit.name);
  }
  return names;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

asio::awaitable<void> Supervisor::Impl::converge_on_demand() {
  while (true) {
    const auto seen = plan_changed.version();
    const auto target = applied;
    if (converged != target) {
      stack::Plan wanted = plan;
      co_await converge(std::move(wanted));
      converged = target;
      note_change();
      continue;
    }
    co_await plan_changed.wait_past(seen, Instant::max());
  }
}

asio::awaitable<void> Supervisor::Impl::converge(stack::Plan wanted) {
  processes.context.project = wanted.project;
  processes.log_dir = options.state_dir + "/logs/" + wanted.project;
  if (!wanted.project_dir.empty()) processes.context.project_dir = wanted.project_dir;
  if (options.process_host) processes.context.host = options.process_host();
  containers.project = wanted.project;
  containers.network = wanted.network;
  auto container_names = names_of(wanted, stack::UnitKind::container);
  auto process_names = names_of(wanted, stack::UnitKind::process);
  if (!container_names.empty()) co_await engine.wait_probed(2s);

  co_await retire(wanted);
  co_await stop_stray_processes(std::move(process_names));
  const auto removed = co_await remove_orphans(std::move(container_names));
  if (!removed) log::warn("supervisor", "{}", removed.error().message);
  co_await clear_registry(wanted);

  Units ordered;
  for (const auto& planned : wanted.units) {
    const auto at =
        std::find_if(units.begin(), units.end(), [&](const auto& unit) { return unit->name() == planned.name; });
    ordered.push_back(at == units.end() ? make_unit(planned) : *at);
  }
  Units fresh;
  for (const auto& unit : ordered) {
    if (std::find(units.begin(), units.end(), unit) == units.end()) fresh.push_back(unit);
  }
  units = ordered;
  note_change();
  for (const auto& unit : fresh) co_await unit->adopt();
  for (const auto& unit : fresh) unit->run();
  for (const auto& unit : ordered) {
    const auto state = unit->machine().state();
    if (is_down(state) || state == UnitState::failed) unit->request_start();
  }
}

asio::awaitable<void> Supervisor::Impl::stop_in_order(Units wanted, Grace grace) {
  std::set<Unit*> asked;
  while (true) {
    const auto seen = changed.version();
    bool all_down = true;
    for (auto at = wanted.rbegin(); at != wanted.rend(); ++at) {
      Unit& unit = **at;
      if (is_down(unit.machine().state()) && unit.machine().state() != UnitState::pending) continue;
      // One that somebody started again meanwhile is asked again: a stop wins over a start that comes during it.
      if (asked.contains(&unit) && unit.machine().state() == UnitState::stopping) {
        all_down = false;
        continue;
      }
      const bool needed = std::any_of(wanted.begin(), wanted.end(), [&](const auto& other) {
        return depends_on(*other, unit.service()) && !is_down(other->machine().state());
      });
      if (!needed) {
        asked.insert(&unit);
        unit.request_stop(grace);
      }
      all_down = all_down && is_down(unit.machine().state());
    }
    if (all_down) co_return;
    co_await changed.wait_past(seen, Instant::max());
  }
}

asio::awaitable<void> Supervisor::Impl::retire(const stack::Plan& wanted) {
  Units leaving;
  for (const auto& unit : units) {
    const auto* planned = find_planned(wanted, unit->name());
    if (planned == nullptr || planned->config_hash != unit->config_hash()) leaving.push_back(unit);
  }
  if (leaving.empty()) co_return;
  co_await stop_in_order(leaving, std::nullopt);
  for (const auto& unit : leaving) {
    const bool replaced = find_planned(wanted, unit->name()) != nullptr;
    const auto removed = co_await unit->remove();
    if (!removed) log::warn("supervisor", "{}: not removed: {}", unit->name(), removed.error().message);
    co_await unit->detach();
    log::info("supervisor", "{}: {}", unit->name(), replaced ? "stopped to be replaced" : "removed");
    units.erase(std::remove(units.begin(), units.end(), unit), units.end());
  }
  note_change();
}

asio::awaitable<void> Supervisor::Impl::stop_stray_processes(std::vector<std::string> known) {
  const auto all = records.all();
  for (const auto& [name, record] : all) {
    if (contains(known, name)) continue;
    if (process::alive(record.identity)) {
      log::info("supervisor", "{}: stopping pid {} of an earlier run", name, record.identity.pid);
    }
    co_await stop_stray(loop, record, stray_grace);
    (void)records.erase(name);
  }
}

asio::awaitable<Result<void>> Supervisor::Impl::remove_orphans(std::vector<std::string> known) {
  if (!engine.state().up || containers.project.empty()) co_return Result<void>();
  std::vector<std::string> labels{std::string(label::project) + "=" + containers.project};
  CO_TRY(const auto found, co_await engine.client().list_containers(true, std::move(labels)));
  std::string left;
  for (const auto& container : found) {
    const std::string unit = label_of(container.labels, label::unit);
    if (contains(known, unit)) continue;
    log::info("supervisor", "{}: removing container {}", unit, container.id.substr(0, 12));
    co_await engine.client().stop_container(container.id, stray_grace);
    if (options.before_remove) co_await options.before_remove(unit, container.id);
    const auto removed = co_await engine.client().remove_container(container.id, true, true);
    if (!removed)
      left +=
          fmt::format("{}container {} was not removed: {}", left.empty() ? "" : "; ", unit, removed.error().message);
  }
  if (!left.empty()) co_return fail(Errc::failed, "{}", left);
  co_return Result<void>();
}

/// Entries of processes that ended while nobody looked.
asio::awaitable<void> Supervisor::Impl::clear_registry(const stack::Plan& wanted) {
  if (registry_cleared || !view.synced()) co_return;
  registry_cleared = true;
  const registry::Identity identity = writer.identity();
  std::set<std::string> living;
  for (const auto& [name, record] : records.all()) {
    const auto* planned = find_planned(wanted, name);
    if (planned == nullptr || planned->config_hash != record.config_hash || !process::alive(record.identity)) continue;
    if (auto service = process_service(*planned, wanted.project, identity, record.port)) living.insert(service->id);
  }
  const auto snapshot = view.snapshot();
  const auto services = snapshot->services_of(identity.node);
  for (const auto& service : services) {
    if (service->source != registry_source(wanted.project) || living.contains(service->id)) continue;
    const auto removed = co_await registry::deregister_service(writer, service->id);
    if (!removed) log::warn("supervisor", "{} stays in the registry: {}", service->id, removed.error().message);
  }
}

std::shared_ptr<Unit> Supervisor::Impl::make_unit(const stack::PlannedUnit& planned) {
  Unit::Options unit;
  unit.executor = loop;
  unit.clock = &clock;
  unit.name = planned.name;
  unit.service = planned.service;
  unit.config_hash = planned.config_hash;
  unit.restart = planned.spec.restart;
  unit.depends_on = planned.spec.depends_on;
  unit.wait_for = planned.spec.wait_for;
  unit.registry = &view;
  if (planned.kind == stack::UnitKind::process && planned.spec.process) unit.every = planned.spec.process->every;
  unit.gate = [this](const std::vector<stack::Dependency>& dependencies) { return gate_of(dependencies); };
  unit.changed = [this] { note_change(); };
  std::unique_ptr<Backend> backend;
  if (planned.kind == stack::UnitKind::container) {
    backend = std::make_unique<ContainerUnit>(containers, planned);
  } else {
    backend = std::make_unique<ProcessUnit>(processes, planned);
  }
  return std::make_shared<Unit>(std::move(unit), std::move(backend));
}

Gate Supervisor::Impl::gate_of(const std::vector<stack::Dependency>& dependencies) const {
  return gate(dependencies, [this](const std::string& service) {
    std::vector<DependencyView> views;
    for (const auto& unit : units) {
      if (unit->service() == service) views.push_back(unit->view());
    }
    return views;
  });
}

}  // namespace devstack::supervisor
