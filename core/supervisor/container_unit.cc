#include "core/supervisor/container_unit.h"

#include "core/base/log.h"

namespace devstack::supervisor {

using Kind = UnitEvent::Kind;

namespace {

constexpr auto remove_grace = std::chrono::seconds(1);

std::string find_label(const docker::StringMap& labels, const char* key) {
  const auto at = labels.find(key);
  return at == labels.end() ? std::string() : at->second;
}

}  // namespace

ContainerContext ContainerShared::context() const {
  ContainerContext context;
  context.project = project;
  context.network = network;
  context.stack_file = options.stack_file;
  if (options.container_dns) context.dns = options.container_dns();
  return context;
}

Result<void> ContainerShared::reachable() const {
  if (engine.state().up) return {};
  return fail(Errc::docker_unreachable, "engine not reachable: {}",
              engine.state().detail.empty() ? "no answer yet" : engine.state().detail);
}

asio::awaitable<Result<void>> ContainerShared::ensure_network() {
  while (network_busy) {
    const auto seen = network_turn.version();
    co_await network_turn.wait_past(seen, Instant::max());
  }
  network_busy = true;
  struct Turn {
    ContainerShared& shared;
    ~Turn() {
      shared.network_busy = false;
      shared.network_turn.bump();
    }
  } turn{*this};
  auto found = co_await engine.client().inspect_network(network);
  if (found) co_return Result<void>();
  if (found.error().code != Errc::not_found) co_return tl::unexpected<Error>(found.error());
  auto labels = network_labels(context());
  auto made = co_await engine.client().create_network(network, std::move(labels));
  if (!made && made.error().code != Errc::conflict) co_return tl::unexpected<Error>(made.error());
  co_return Result<void>();
}

asio::awaitable<Result<void>> ContainerShared::remove_network() {
  if (network.empty() || !engine.state().up) co_return Result<void>();
  auto found = co_await engine.client().inspect_network(network);
  if (!found) {
    if (found.error().code == Errc::not_found) co_return Result<void>();
    co_return tl::unexpected<Error>(found.error());
  }
  if (find_label(found->labels, label::project) != project) co_return Result<void>();  // somebody else made it
  auto removed = co_await engine.client().remove_network(network);
  if (!removed && removed.error().code != Errc::not_found) co_return tl::unexpected<Error>(removed.error());
  co_return Result<void>();
}

ContainerUnit::ContainerUnit(ContainerShared& shared, stack::PlannedUnit unit)
    : shared_(shared), unit_(std::move(unit)), name_(container_name(unit_, shared.project)), looks_(shared.executor) {}

ContainerUnit::~ContainerUnit() = default;

bool ContainerUnit::ours(const docker::Container& container) const {
  return find_label(container.labels, label::project) == shared_.project;
}

UnitEvent ContainerUnit::up_event(Kind kind, const docker::Container& container) {
  id_ = container.id;
  addresses_ = container_addresses(container);
  started_at_ = unix_time(container.started_at);
  UnitEvent event;
  event.kind = kind;
  event.health = container.health.status == "none" ? std::string() : container.health.status;
  return event;
}

UnitEvent ContainerUnit::exit_event(const docker::Container& container) const {
  UnitEvent event;
  event.kind = Kind::exited;
  event.code = container.exit_code;
  if (!container.error.empty()) event.detail = container.error;
  return event;
}

asio::awaitable<Result<std::optional<docker::Container>>> ContainerUnit::find() {
  auto found = co_await shared_.engine.client().inspect_container(name_);
  if (found) co_return std::optional<docker::Container>(std::move(*found));
  if (found.error().code == Errc::not_found) co_return std::optional<docker::Container>();
  co_return tl::unexpected<Error>(found.error());
}

asio::awaitable<std::optional<UnitEvent>> ContainerUnit::adopt() {
  if (!shared_.engine.state().up) co_return std::nullopt;
  auto found = co_await find();
  if (!found || !*found) co_return std::nullopt;
  const docker::Container& container = **found;
  if (!ours(container) || find_label(container.labels, label::config_hash) != unit_.config_hash) {
    co_return std::nullopt;
  }
  id_ = container.id;
  if (container.running) {
    log::info("supervisor", "{}: taken back, container {}", unit_.name, id_.substr(0, 12));
    co_return up_event(Kind::adopted, container);
  }
  if (container.status == "exited") co_return exit_event(container);
  co_return std::nullopt;
}

asio::awaitable<Result<void>> ContainerUnit::ensure_image() {
  auto image = co_await shared_.engine.client().inspect_image(unit_.spec.image);
  if (image) co_return Result<void>();
  if (image.error().code != Errc::not_found) co_return tl::unexpected<Error>(image.error());
  if (shared_.options.provide_image) {
    auto provided = co_await shared_.options.provide_image(unit_.spec.image);
    if (!provided) co_return tl::unexpected<Error>(provided.error());
    if (*provided) co_return Result<void>();
  }
  log::info("supervisor", "{}: pulling {}", unit_.name, unit_.spec.image);
  auto progress = [](const std::string&) {};
  co_return co_await shared_.engine.client().pull_image(unit_.spec.image, progress);
}

asio::awaitable<Result<void>> ContainerUnit::create() {
  CO_CHECK(co_await ensure_image());
  if (on_project_network(unit_)) CO_CHECK(co_await shared_.ensure_network());
  docker::ContainerSpec spec = container_spec(unit_, shared_.context());
  CO_TRY(id_, co_await shared_.engine.client().create_container(std::move(spec)));
  co_return Result<void>();
}

asio::awaitable<Result<UnitEvent>> ContainerUnit::launch() {
  struct Launching {
    bool& flag;
    ~Launching() { flag = false; }
  } launching{launching_};
  launching_ = true;
  auto result = co_await bring_up();
  co_return result;
}

asio::awaitable<Result<UnitEvent>> ContainerUnit::bring_up() {
  CO_CHECK(shared_.reachable());
  CO_TRY(auto found, co_await find());
  if (found && !ours(*found)) {
    co_return fail(Errc::conflict,
                   "the container name {0} is taken by a container that is not of this stack: remove it (docker rm -f "
                   "{0}) or set container_name",
                   name_);
  }
  if (found && find_label(found->labels, label::config_hash) != unit_.config_hash) {
    CO_CHECK(co_await shared_.engine.client().stop_container(found->id, remove_grace));
    if (shared_.options.before_remove) co_await shared_.options.before_remove(unit_.name, found->id);
    CO_CHECK(co_await shared_.engine.client().remove_container(found->id, true, true));
    found.reset();
  }
  if (found && found->running) co_return up_event(Kind::adopted, *found);
  if (found) {
    id_ = found->id;
    // The network may have gone since (an engine that was pruned); the container would not start without it.
    if (on_project_network(unit_)) CO_CHECK(co_await shared_.ensure_network());
  } else {
    CO_CHECK(co_await create());
  }
  CO_CHECK(co_await shared_.engine.client().start_container(id_));
  CO_TRY(const docker::Container container, co_await shared_.engine.client().inspect_container(id_));
  // It may have ended already, with its event told before we knew that it had started.
  if (!container.running) looks_.spawn("supervisor: look at " + unit_.name, look(false));
  co_return up_event(Kind::started, container);
}

/// What became of the container; several looks may run, each tells what it saw.
asio::awaitable<void> ContainerUnit::look(bool engine_was_away) {
  auto found = co_await find();
  if (!found || launching_) co_return;
  if (!*found || !ours(**found)) {
    UnitEvent lost;
    lost.kind = Kind::lost;
    lost.detail = "its container is gone; making a new one";
    events(lost);
    co_return;
  }
  const docker::Container& container = **found;
  if (container.running) {
    if (find_label(container.labels, label::config_hash) != unit_.config_hash) co_return;
    UnitEvent event = up_event(Kind::adopted, container);
    events(event);
    event.kind = event.health == "unhealthy" ? Kind::health_failed : Kind::health_passed;
    event.detail = event.kind == Kind::health_failed ? "health check fails" : "";
    if (event.kind == Kind::health_failed && !container.health.outputs.empty()) {
      event.detail += ": " + container.health.outputs.back();
      while (!event.detail.empty() && event.detail.back() == '\n') event.detail.pop_back();
    }
    if (event.health == "healthy" || event.health == "unhealthy") events(event);
    co_return;
  }
  if (container.status == "restarting" || container.status == "created") co_return;
  UnitEvent ended = exit_event(container);
  if (engine_was_away && ended.code != 0) {
    ended.kind = Kind::lost;  // it ended with its engine, which is no fault of its own
    ended.detail = "ended while the engine was away; starting again";
  }
  events(ended);
}

void ContainerUnit::on_engine_event(const docker::Event& event) {
  const bool telling = event.action == "die" || event.action == "start" || event.action == "destroy" ||
                       event.action == "unpause" || event.action.starts_with("health_status");
  if (telling) looks_.spawn("supervisor: look at " + unit_.name, look(false));
}

void ContainerUnit::reconcile() { looks_.spawn("supervisor: look at " + unit_.name, look(true)); }

asio::awaitable<Result<void>> ContainerUnit::halt(Grace grace) {
  if (!shared_.engine.state().up) {
    if (id_.empty()) co_return Result<void>();
    co_return fail(Errc::docker_unreachable, "container {} cannot be stopped: engine not reachable", name_);
  }
  auto found = co_await find();
  if (!found) co_return tl::unexpected<Error>(found.error());
  if (!*found || !ours(**found)) co_return Result<void>();
  const auto limit = grace ? *grace : std::chrono::duration_cast<std::chrono::seconds>(unit_.spec.stop_grace_period);
  id_ = (*found)->id;
  co_return co_await shared_.engine.client().stop_container(id_, limit);
}

asio::awaitable<Result<void>> ContainerUnit::remove() {
  if (id_.empty()) co_return Result<void>();
  CO_CHECK(shared_.reachable());
  auto found = co_await find();
  if (!found) co_return tl::unexpected<Error>(found.error());
  if (!*found || !ours(**found)) co_return Result<void>();
  if (shared_.options.before_remove) co_await shared_.options.before_remove(unit_.name, (*found)->id);
  co_return co_await shared_.engine.client().remove_container((*found)->id, true, true);
}

asio::awaitable<void> ContainerUnit::detach() { co_await looks_.stop(); }

void ContainerUnit::describe(UnitStatus& status) const {
  status.type = UnitType::container;
  status.id = id_.substr(0, 12);
  status.addresses = addresses_;
  status.started_at = started_at_;
  const bool lives = !settled(status.state) || status.state == UnitState::running;
  if (shared_.engine.state().up || !lives) return;
  // What is shown is what was last known.
  status.detail = shared_.reachable().error().message;
  status.degraded = true;
}

}  // namespace devstack::supervisor
