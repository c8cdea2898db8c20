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

std::vector<std::string> names_of(const stack::Plan& plan, stack::UnitKind kind) {
  std::vector<std::string> names;
  for (const auto& unit : plan.units) {
    if (unit.kind == kind) names.push_back(unit.name);
  }
  return names;
}

/// The services that the user named, with what they depend on unless that is not wanted; empty: all.
std::set<std::string> chosen_services(const stack::Plan& plan, const ApplyOptions& asked) {
  std::set<std::string> chosen(asked.services.begin(), asked.services.end());
  if (asked.no_deps) return chosen;
  for (auto unit = plan.units.rbegin(); unit != plan.units.rend(); ++unit) {  // dependents come last in a plan
    if (!chosen.contains(unit->service)) continue;
    for (const auto& on : unit->spec.depends_on) chosen.insert(on.service);
  }
  return chosen;
}

std::set<std::string> chosen_units(const stack::Plan& plan, const ApplyOptions& asked) {
  const auto services = chosen_services(plan, asked);
  std::set<std::string> names;
  for (const auto& unit : plan.units) {
    if (services.empty() || services.contains(unit.service)) names.insert(unit.name);
  }
  return names;
}

/// Units that asked to be restarted together with a dependency that is replaced.
std::vector<std::shared_ptr<Unit>> restarted_with(const std::vector<std::shared_ptr<Unit>>& replaced,
                                                  const std::vector<std::shared_ptr<Unit>>& kept) {
  std::vector<std::shared_ptr<Unit>> all;
  for (const auto& unit : kept) {
    if (unit->machine().up() && unit->restarts_with(replaced)) all.push_back(unit);
  }
  return all;
}

/// A child that runs in the namespace of a container that is about to be replaced is none to take back.
bool parents_are_up(const stack::ServiceSpec& service, const std::vector<std::shared_ptr<Unit>>& units) {
  const auto parents = namespace_parents(service);
  return std::none_of(units.begin(), units.end(), [&](const auto& unit) {
    const bool parent = std::find(parents.begin(), parents.end(), unit->service()) != parents.end();
    return parent && !unit->machine().up();
  });
}

/// A container that shares a namespace with one that is replaced would go on in the old one's.
void add_namespace_children(const stack::Plan& plan, std::vector<std::shared_ptr<Unit>>& kept,
                            std::vector<std::shared_ptr<Unit>>& replaced) {
  std::set<std::string> services;
  for (const auto& unit : replaced) services.insert(unit->service());
  for (const auto& planned : plan.units) {  // parents come first in a plan
    const auto parents = namespace_parents(planned.spec);
    if (std::none_of(parents.begin(), parents.end(), [&](const auto& parent) { return services.contains(parent); })) {
      continue;
    }
    const auto at = std::find_if(kept.begin(), kept.end(), [&](const auto& u) { return u->name() == planned.name; });
    if (at == kept.end()) continue;
    services.insert(planned.service);
    replaced.push_back(*at);
    kept.erase(at);
  }
}

}  // namespace

asio::awaitable<void> Supervisor::Impl::converge_on_demand() {
  while (true) {
    const auto seen = plan_changed.version();
    const auto target = applied;
    if (converged != target) {
      stack::Plan wanted = plan;
      ApplyOptions asked = how;
      co_await converge(std::move(wanted), std::move(asked));
      converged = target;
      note_change();
      continue;
    }
    co_await plan_changed.wait_past(seen, Instant::max());
  }
}

asio::awaitable<void> Supervisor::Impl::converge(stack::Plan wanted, ApplyOptions asked) {
  const Instant asked_at = applied_at;
  for (const auto& unit : units) unit->begin_convergence(asked_at);
  processes.context.project = wanted.project;
  processes.log_dir = options.state_dir + "/logs/" + wanted.project;
  if (!wanted.project_dir.empty()) processes.context.project_dir = wanted.project_dir;
  if (options.process_host) processes.context.host = options.process_host();
  containers.follow(wanted, asked);
  for (const auto& unit : units) {
    const auto* planned = find_planned(wanted, unit->name());
    if (planned != nullptr && planned->config_hash == unit->config_hash()) unit->plan_again(*planned);
  }
  auto container_names = names_of(wanted, stack::UnitKind::container);
  auto process_names = names_of(wanted, stack::UnitKind::process);
  if (!container_names.empty()) co_await engine.wait_probed(2s);

  if (engine.state().up) {
    const auto dropped = co_await containers.drop_changed_networks();
    if (!dropped) log::warn("supervisor", "{}", dropped.error().message);
  }
  co_await retire(wanted, asked);
  co_await stop_stray_processes(std::move(process_names));
  Strays strays;
  strays.known = std::move(container_names);
  strays.foreign = asked.remove_orphans;
  if (asked.remove_orphans) strays.one_off = OneOff::ended;
  strays.ours = asked.services.empty();
  for (const auto& unit : wanted.units) strays.services.push_back(unit.service);
  const auto removed = co_await remove_strays(std::move(strays));
  if (!removed) log::warn("supervisor", "{}", removed.error().message);
  co_await clear_registry(wanted);

  const auto chosen = chosen_units(wanted, asked);
  Units ordered;
  for (const auto& planned : wanted.units) {
    const auto at =
        std::find_if(units.begin(), units.end(), [&](const auto& unit) { return unit->name() == planned.name; });
    if (at != units.end()) {
      ordered.push_back(*at);
    } else if (chosen.contains(planned.name)) {
      ordered.push_back(make_unit(planned, asked));
    }
  }
  for (const auto& unit : units) {
    if (std::find(ordered.begin(), ordered.end(), unit) == ordered.end()) ordered.push_back(unit);
  }
  Units fresh;
  for (const auto& unit : ordered) {
    if (std::find(units.begin(), units.end(), unit) == units.end()) fresh.push_back(unit);
  }
  units = ordered;
  note_change();
  for (const auto& unit : fresh) {
    const auto* planned = find_planned(wanted, unit->name());
    if (planned == nullptr || parents_are_up(planned->spec, units)) co_await unit->adopt();
  }
  for (const auto& unit : fresh) unit->run();
  for (const auto& unit : ordered) {
    if (!chosen.contains(unit->name())) continue;
    if (asked.no_start) {
      if (!unit->machine().up()) co_await unit->create();
      continue;
    }
    const auto state = unit->machine().state();
    // As Compose has it: what ended is started again, whatever its end was.
    const bool ended = state == UnitState::completed && dynamic_cast<ContainerUnit*>(&unit->backend()) != nullptr;
    if (is_down(state) || state == UnitState::failed || ended) unit->begin_start(asked_at);
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

/// Units whose containers are another thing than planned are found by asking the engine, all at once.
asio::awaitable<Supervisor::Impl::Verdict> Supervisor::Impl::judge(const stack::Plan& wanted,
                                                                   const ApplyOptions& asked) {
  const auto chosen = chosen_units(wanted, asked);
  const auto services = chosen_services(wanted, asked);
  Verdict verdict;
  Units unsure;
  for (const auto& unit : units) {
    const auto* planned = find_planned(wanted, unit->name());
    const bool container = dynamic_cast<ContainerUnit*>(&unit->backend()) != nullptr;
    if (planned == nullptr) {
      (services.empty() || services.contains(unit->service()) ? verdict.leaving : verdict.kept).push_back(unit);
    } else if (!chosen.contains(unit->name())) {
      verdict.kept.push_back(unit);
    } else if (container != (planned->kind == stack::UnitKind::container)) {
      verdict.leaving.push_back(unit);
    } else if (!container) {
      (planned->config_hash == unit->config_hash() ? verdict.kept : verdict.leaving).push_back(unit);
    } else if (asked.no_recreate) {
      verdict.kept.push_back(unit);
    } else if (asked.force_recreate || planned->config_hash != unit->config_hash()) {
      verdict.replaced.push_back(unit);
    } else {
      unsure.push_back(unit);
    }
  }
  std::vector<std::string> why(unsure.size());
  auto look = [](std::shared_ptr<Unit> unit, std::string& answer) -> asio::awaitable<void> {
    answer = co_await dynamic_cast<ContainerUnit&>(unit->backend()).outdated();
  };
  std::vector<asio::awaitable<void>> looks;
  for (std::size_t at = 0; at < unsure.size(); ++at) looks.push_back(look(unsure[at], why[at]));
  co_await run_all(loop, "supervisor: look at containers", std::move(looks));
  for (std::size_t at = 0; at < unsure.size(); ++at) {
    (why[at].empty() ? verdict.kept : verdict.replaced).push_back(unsure[at]);
  }
  co_return verdict;
}

asio::awaitable<void> Supervisor::Impl::retire(const stack::Plan& wanted, const ApplyOptions& asked) {
  auto verdict = co_await judge(wanted, asked);
  add_namespace_children(wanted, verdict.kept, verdict.replaced);
  const auto forget = [this](const std::shared_ptr<Unit>& unit) {
    units.erase(std::remove(units.begin(), units.end(), unit), units.end());
  };
  for (const auto& unit : verdict.replaced) {
    co_await unit->detach();
    log::info("supervisor", "{}: to be replaced", unit->name());
    forget(unit);
  }
  // Started again, and not before what they depend on, once the new ones are there.
  auto restarted = restarted_with(verdict.replaced, verdict.kept);
  if (!restarted.empty()) co_await stop_in_order(std::move(restarted), std::nullopt);
  if (!verdict.leaving.empty()) {
    auto leaving = verdict.leaving;
    co_await stop_in_order(std::move(leaving), std::nullopt);
    auto unwanted = verdict.leaving;
    const auto left = co_await remove_units(std::move(unwanted), false);
    if (!left.empty()) log::warn("supervisor", "{}", left);
  }
  for (const auto& unit : verdict.leaving) {
    co_await unit->detach();
    const bool replaced = find_planned(wanted, unit->name()) != nullptr;
    log::info("supervisor", "{}: {}", unit->name(), replaced ? "stopped to be replaced" : "removed");
    forget(unit);
  }
  if (!verdict.leaving.empty() || !verdict.replaced.empty()) note_change();
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

std::shared_ptr<Unit> Supervisor::Impl::make_unit(const stack::PlannedUnit& planned, const ApplyOptions& asked) {
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
    ContainerUnit::Options container;
    container.recreate = asked.force_recreate ? Recreate::always
                         : asked.no_recreate  ? Recreate::never
                                              : Recreate::when_changed;
    container.renew_volumes = asked.renew_anon_volumes;
    backend = std::make_unique<ContainerUnit>(containers, planned, container);
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
