#include "core/supervisor/supervisor.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>

#include "core/base/append.h"
#include "core/base/log.h"
#include "core/supervisor/supervisor_impl.h"

namespace devstack::supervisor {
namespace {

using namespace std::chrono_literals;
constexpr auto component_stop_limit = 15s;

bool starts_after(Component* component, const std::vector<Component*>& placed, const std::vector<Component*>& all) {
  for (const auto& name : component->after()) {
    const auto is_it = [&](Component* other) { return other->name() == name; };
    if (std::any_of(all.begin(), all.end(), is_it) && std::none_of(placed.begin(), placed.end(), is_it)) return true;
  }
  return false;
}

/// In the order added, each behind those it names; a circle is started as added.
std::vector<Component*> start_order(const std::vector<Component*>& all) {
  std::vector<Component*> order;
  std::vector<Component*> left = all;
  while (!left.empty()) {
    auto next = std::find_if(left.begin(), left.end(), [&](auto* c) { return !starts_after(c, order, all); });
    if (next == left.end()) next = left.begin();
    order.push_back(*next);
    left.erase(next);
  }
  return order;
}

std::string records_file(const SupervisorOptions& options) {
  const std::string name = "/processes.json";
  return options.project.empty() ? options.state_dir + name : options.state_dir + "/projects/" + options.project + name;
}

}  // namespace

Supervisor::Impl::Impl(asio::any_io_executor on, SupervisorOptions given, docker::EngineWatcher& watcher,
                       registry::RegistryView& reader, registry::RegistryWriter& registry_writer, Clock& time)
    : loop(std::move(on)),
      options(std::move(given)),
      engine(watcher),
      view(reader),
      writer(registry_writer),
      clock(time),
      changed(loop),
      plan_changed(loop),
      tasks(loop),
      records(records_file(options)),
      containers(loop, engine, options),
      started_at(std::time(nullptr)) {
  containers.changed = [this] { note_change(); };
  processes.executor = loop;
  processes.clock = &clock;
  processes.records = &records;
  processes.writer = &writer;
  processes.listening_address = options.listening_address;
  processes.log_dir = options.state_dir + "/logs";
  processes.context.path = options.process_path;
  processes.context.inherited = inherited_environment();
  processes.context.project_dir = std::filesystem::path(options.stack_file).parent_path().string();
}

Supervisor::Impl::~Impl() {
  if (subscription) engine.unsubscribe(*subscription);
}

void Supervisor::Impl::note_change() {
  changed.bump();
  if (options.on_change) options.on_change();
  for (const auto& unit : units) {
    if (unit->machine().work() == Work::await_dependencies) unit->wake();
  }
}

void Supervisor::Impl::subscribe_to_engine() {
  if (subscription) return;
  docker::EngineWatcher::Listener listener;
  listener.on_up = [this] {
    for (const auto& unit : units) {
      unit->backend().reconcile();
      const bool container = dynamic_cast<ContainerUnit*>(&unit->backend()) != nullptr;
      if (container && unit->machine().state() == UnitState::backoff) unit->request_start();
    }
    note_change();
  };
  listener.on_event = [this](const docker::Event& event) { on_engine_event(event); };
  listener.on_down = [this] { note_change(); };
  subscription = engine.subscribe(std::move(listener));
}

void Supervisor::Impl::on_engine_event(const docker::Event& event) {
  if (event.type != "container") return;
  const auto value = [&](const char* key) {
    const auto at = event.attributes.find(key);
    return at == event.attributes.end() ? std::string() : at->second;
  };
  if (value(label::project) != plan.project) return;
  const std::string name = value(label::unit);
  for (const auto& unit : units) {
    if (unit->name() != name) continue;
    if (auto* container = dynamic_cast<ContainerUnit*>(&unit->backend())) container->on_engine_event(event);
  }
}

asio::awaitable<Result<void>> Supervisor::Impl::start_components() {
  for (auto* component : start_order(added)) {
    if (stopping) co_return fail(Errc::cancelled, "stopped while it started");
    auto backend = std::make_unique<ComponentUnit>(*component, [this] { note_change(); });
    auto* component_backend = backend.get();
    Unit::Options unit;
    unit.executor = loop;
    unit.clock = &clock;
    unit.name = component->name();
    unit.gate = [](const std::vector<stack::Dependency>&) { return Gate(); };
    unit.changed = [this] { note_change(); };
    auto made = std::make_shared<Unit>(std::move(unit), std::move(backend));
    components.push_back(made);
    made->run();
    made->request_start();
    co_await made->wait_settled(Instant::max());
    if (made->machine().state() == UnitState::running) continue;
    Error why{Errc::cancelled, fmt::format("{} was stopped while it started", component->name())};
    if (component_backend->error()) why = *component_backend->error();
    if (!stopping) co_await stop_components();
    co_return tl::unexpected<Error>(std::move(why));
  }
  co_return Result<void>();
}

asio::awaitable<void> Supervisor::Impl::stop_components() {
  for (auto at = components.rbegin(); at != components.rend(); ++at) {
    const auto unit = *at;
    unit->request_stop(std::nullopt);
    co_await unit->wait_settled(std::chrono::steady_clock::now() + component_stop_limit);
  }
  // Kept for the status; a second start makes new ones.
  for (const auto& unit : components) co_await unit->detach();
}

Result<Supervisor::Impl::Units> Supervisor::Impl::named(const std::string& name) const {
  if (const auto comma = name.find(','); comma != std::string::npos) {
    TRY(auto found, named(name.substr(0, comma)));
    TRY(const auto others, named(name.substr(comma + 1)));
    for (const auto& unit : others) {
      if (std::find(found.begin(), found.end(), unit) == found.end()) found.push_back(unit);
    }
    return found;
  }
  Units found;
  std::string known;
  for (const auto* list : {&units, &components}) {
    for (const auto& unit : *list) {
      if (unit->name() == name) return Units{unit};
      if (unit->service() == name) found.push_back(unit);
      append_part(known, unit->name(), ", ");
    }
  }
  if (found.empty()) return fail(Errc::not_found, "no service \"{}\" in this stack; there are: {}", name, known);
  return found;
}

Status Supervisor::Impl::status() const {
  Status status;
  status.version = options.version;
  status.project = plan.project;
  status.stack_file = options.stack_file;
  status.node = writer.identity().node;
  status.pid = ::getpid();
  status.started_at = started_at;
  status.docker = engine.state().up ? engine.state().info.version : std::string();
  status.docker_detail = engine.state().up ? std::string() : engine.state().detail;
  status.stopping = stopping;
  status.converging = converged != applied;
  for (const auto& unit : components) status.components.push_back(unit->status());
  std::vector<std::string> shown;
  for (const auto& unit : units) {
    status.services.push_back(unit->status());
    status.services.back().project = plan.project;
    shown.push_back(unit->name());
  }
  for (const auto& planned : plan.units) {
    if (converged == applied || std::find(shown.begin(), shown.end(), planned.name) != shown.end()) continue;
    UnitStatus soon;
    soon.name = planned.name;
    soon.service = planned.service;
    soon.project = plan.project;
    soon.type = planned.kind == stack::UnitKind::container ? UnitType::container : UnitType::process;
    status.services.push_back(std::move(soon));
  }
  const auto well = [](const UnitStatus& unit) { return settled_well(unit.state); };
  status.healthy = !stopping && converged == applied &&
                   std::all_of(status.components.begin(), status.components.end(), well) &&
                   std::all_of(status.services.begin(), status.services.end(), well);
  return status;
}

asio::awaitable<void> Supervisor::Impl::release() {
  if (subscription) engine.unsubscribe(*subscription);
  subscription.reset();
  for (const auto& unit : units) co_await unit->detach();
}

asio::awaitable<Result<void>> Supervisor::Impl::down(DownOptions asked) {
  const bool first = !stopping;
  stopping = true;
  while (!first && !gone) {
    const auto seen = changed.version();
    co_await changed.wait_past(seen, Instant::max());
  }
  if (!first) co_return Result<void>();
  note_change();
  co_await tasks.stop();
  for (const auto& unit : units) unit->run();  // a convergence that was cut short may not have come to it
  auto result = co_await take_down(asked);
  gone = true;
  note_change();
  co_return result;
}

asio::awaitable<void> Supervisor::Impl::detach() {
  if (stopping) {
    co_await down(DownOptions());
    co_return;
  }
  stopping = true;
  co_await tasks.stop();
  co_await release();
  co_await stop_components();
  gone = true;
  note_change();
}

Supervisor::Supervisor(asio::any_io_executor loop, SupervisorOptions options, docker::EngineWatcher& engine,
                       registry::RegistryView& view, registry::RegistryWriter& writer, Clock& clock)
    : impl_(std::make_shared<Impl>(std::move(loop), std::move(options), engine, view, writer, clock)) {}

Supervisor::~Supervisor() = default;

void Supervisor::add(Component& component) { impl_->added.push_back(&component); }

asio::awaitable<Result<void>> Supervisor::start_components() {
  const auto impl = impl_;
  impl->components.clear();
  co_return co_await impl->start_components();
}

void Supervisor::apply(stack::Plan plan, ApplyOptions how) {
  if (impl_->stopping) return;
  impl_->how = std::move(how);
  impl_->applied_at = impl_->clock.now();
  impl_->plan = std::move(plan);
  impl_->containers.project = impl_->plan.project;  // a down() that comes before convergence looks for strays, too
  impl_->subscribe_to_engine();
  if (impl_->applied++ == 0) impl_->tasks.spawn("supervisor: convergence", impl_->converge_on_demand());
  impl_->plan_changed.bump();
  impl_->note_change();
}

const stack::Plan& Supervisor::plan() const { return impl_->plan; }
Status Supervisor::status() const { return impl_->status(); }

Startup Supervisor::startup() const {
  std::vector<UnitStart> starts;
  for (const auto& unit : impl_->units) {
    if (auto start = unit->last_start()) starts.push_back(std::move(*start));
  }
  return summarise(impl_->plan.project, std::move(starts));
}

Signal& Supervisor::changed() { return impl_->changed; }

asio::awaitable<Result<void>> Supervisor::start_unit(std::string name) {
  const auto impl = impl_;
  if (impl->stopping) co_return fail(Errc::conflict, "the stack is being stopped");
  CO_TRY(const auto found, impl->named(name));
  for (const auto& unit : found) {
    // As the engine has it: a start is no unpause.
    if (unit->machine().state() == UnitState::paused) {
      co_return fail(Errc::conflict, "{0} is paused: devstack unpause {0}", unit->name());
    }
  }
  for (const auto& unit : found) unit->request_start();
  co_return Result<void>();
}

asio::awaitable<Result<void>> Supervisor::down(std::optional<std::chrono::seconds> grace) {
  DownOptions options;
  options.grace = grace;
  co_return co_await down(std::move(options));
}

asio::awaitable<Result<void>> Supervisor::down(DownOptions options) {
  const auto impl = impl_;
  co_return co_await impl->down(options);
}

asio::awaitable<void> Supervisor::detach() {
  const auto impl = impl_;
  co_await impl->detach();
}

std::string Supervisor::log_file(const std::string& unit) const {
  for (const auto& known : impl_->units) {
    if (known->name() == unit) return known->backend().log_file();
  }
  return {};
}

}  // namespace devstack::supervisor
