#include "core/supervisor/container_unit.h"

#include "core/base/log.h"

namespace devstack::supervisor {

using Kind = UnitEvent::Kind;

using docker::find_label;

ContainerUnit::ContainerUnit(ContainerShared& shared, stack::PlannedUnit unit, Options options)
    : shared_(shared),
      unit_(std::move(unit)),
      options_(options),
      name_(container_name(unit_, shared.project)),
      looks_(shared.executor) {}

ContainerUnit::~ContainerUnit() = default;

/// Also what Compose made for this service of this project: it takes our place, and we its.
bool ContainerUnit::ours(const docker::Container& container) const {
  if (find_label(container.labels, label::project) == shared_.project) return true;
  return find_label(container.labels, label::compose_project) == shared_.project &&
         find_label(container.labels, label::compose_service) == unit_.service &&
         find_label(container.labels, label::one_off) != "True";
}

/// Whether the container is the one that this unit stands for.
bool ContainerUnit::accepted(const docker::Container& container) const {
  const auto hash = find_label(container.labels, label::config_hash);
  return hash == unit_.config_hash || (!kept_hash_.empty() && hash == kept_hash_);
}

void ContainerUnit::say(std::string note) {
  if (note == note_) return;
  note_ = std::move(note);
  if (launching_ && !note_.empty()) enter(StartPhase::image, note_);
  if (shared_.changed) shared_.changed();
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
  if (!shared_.engine.state().up || options_.recreate == Recreate::always) co_return std::nullopt;
  auto found = co_await find();
  if (!found || !*found || !ours(**found)) co_return std::nullopt;
  const docker::Container& container = **found;
  if (options_.recreate == Recreate::never) {
    kept_hash_ = find_label(container.labels, label::config_hash);
  } else {
    const auto different = co_await difference(container);
    if (!different || !different->empty()) co_return std::nullopt;
  }
  id_ = container.id;
  if (container.running) {
    log::info("supervisor", "{}: taken back, container {}", unit_.name, id_.substr(0, 12));
    if (container.status == "paused") looks_.spawn("supervisor: look at " + unit_.name, look(false));
    co_return up_event(Kind::adopted, container);
  }
  if (container.status == "exited") co_return exit_event(container);
  co_return std::nullopt;
}

void ContainerUnit::take_plan() {
  if (planned_again_ && !launching_) unit_ = std::move(*std::exchange(planned_again_, std::nullopt));
}

asio::awaitable<Result<UnitEvent>> ContainerUnit::launch() {
  take_plan();
  struct Launching {
    bool& flag;
    std::string& note;
    ~Launching() {
      flag = false;
      note.clear();
    }
  } launching{launching_, note_};
  launching_ = true;
  auto result = co_await bring_up();
  co_return result;
}

/// The container that is there, if it is as planned; otherwise nothing, and a new one has been made.
asio::awaitable<Result<ContainerUnit::Found>> ContainerUnit::as_planned() {
  CO_CHECK(shared_.reachable());
  CO_TRY(auto found, co_await find());
  if (found && !ours(*found)) {
    co_return fail(Errc::conflict,
                   "the container name {0} is taken by a container that is not of this stack: remove it (docker rm -f "
                   "{0}) or set container_name",
                   name_);
  }
  std::string different;
  if (found && options_.recreate == Recreate::always) {
    different = "asked for";
  } else if (found && options_.recreate == Recreate::never) {
    kept_hash_ = find_label(found->labels, label::config_hash);
  } else if (found) {
    CO_TRY(different, co_await difference(*found));
  }
  if (found && different.empty()) {
    options_.recreate = Recreate::when_changed;
    co_return found;
  }
  if (found) log::info("supervisor", "{}: replacing container {}: {}", unit_.name, found->id.substr(0, 12), different);
  if (found) replacing_ = true;
  CO_CHECK(co_await make(std::move(found)));
  options_ = Options();
  kept_hash_.clear();
  co_return Found();
}

asio::awaitable<Result<UnitEvent>> ContainerUnit::bring_up() {
  CO_TRY(const auto found, co_await as_planned());
  if (found && found->running) co_return up_event(Kind::adopted, *found);
  if (found) id_ = found->id;
  const bool never_started = !found || found->status == "created";
  if (never_started && !unit_.spec.pre_start.empty()) CO_CHECK(co_await prepare_start());
  co_return co_await start(id_);
}

asio::awaitable<Result<void>> ContainerUnit::create() {
  take_plan();
  CO_TRY(const auto found, co_await as_planned());
  if (found) id_ = found->id;
  co_return Result<void>();
}

asio::awaitable<Result<UnitEvent>> ContainerUnit::start(std::string id) {
  id_ = id;
  auto& client = shared_.engine.client();
  enter(StartPhase::start);
  {
    const auto turn = co_await shared_.starting.take();
    if (shared_.options.before_start) co_await shared_.options.before_start(id);
    CO_CHECK(co_await client.start_container(id));
  }
  CO_TRY(const docker::Container container, co_await client.inspect_container(id));
  if (container.running && !unit_.spec.post_start.empty()) {
    auto hooked = co_await run_hooks(unit_.spec.post_start, "post_start", id);
    if (!hooked) {
      co_await client.stop_container(id,
                                     std::chrono::duration_cast<std::chrono::seconds>(unit_.spec.stop_grace_period));
      co_return tl::unexpected<Error>(hooked.error());
    }
  }
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
    if (!accepted(container)) co_return;
    if (container.status == "paused") {
      UnitEvent held;
      held.kind = Kind::paused;
      events(held);
      co_return;
    }
    UnitEvent event = up_event(Kind::adopted, container);
    events(event);
    event.kind = event.health == "unhealthy" ? Kind::health_failed : Kind::health_passed;
    const auto& outputs = container.health.outputs;
    event.detail.clear();
    if (event.kind == Kind::health_failed) event.detail = failing_check(outputs.empty() ? "" : outputs.back());
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
                       event.action == "pause" || event.action == "unpause" ||
                       event.action.starts_with("health_status");
  if (telling) looks_.spawn("supervisor: look at " + unit_.name, look(false));
}

void ContainerUnit::reconcile() { looks_.spawn("supervisor: look at " + unit_.name, look(true)); }

/// Nothing when there is no container of ours.
asio::awaitable<Result<ContainerUnit::Found>> ContainerUnit::to_be_ended() {
  if (!shared_.engine.state().up) {
    if (id_.empty()) co_return Found();
    co_return fail(Errc::docker_unreachable, "container {} cannot be stopped: engine not reachable", name_);
  }
  CO_TRY(auto found, co_await find());
  if (!found || !ours(*found)) co_return Found();
  id_ = found->id;
  co_return found;
}

/// Returns when it does not run, and tells how it ended if it did until now.
asio::awaitable<Result<void>> ContainerUnit::end(bool was_running, std::chrono::seconds limit) {
  CO_CHECK(co_await shared_.engine.client().stop_container(id_, limit));
  if (!was_running) co_return Result<void>();
  const auto ended = co_await shared_.engine.client().inspect_container(id_);
  if (ended && !ended->running) events(exit_event(*ended));
  co_return Result<void>();
}

asio::awaitable<Result<void>> ContainerUnit::halt(Grace grace) {
  CO_TRY(const auto found, co_await to_be_ended());
  if (!found) co_return Result<void>();
  co_await run_pre_stop(*found);
  const auto limit = grace ? *grace : std::chrono::duration_cast<std::chrono::seconds>(unit_.spec.stop_grace_period);
  co_return co_await end(found->running, limit);
}

asio::awaitable<Result<void>> ContainerUnit::kill() {
  CO_TRY(const auto found, co_await to_be_ended());
  if (!found) co_return Result<void>();
  if (found->running) {
    const auto killed = co_await shared_.engine.client().kill_container(id_, "SIGKILL");
    if (!killed) log::debug("supervisor", "{}: {}", unit_.name, killed.error().message);
  }
  co_return co_await end(found->running, std::chrono::seconds(0));
}

asio::awaitable<Result<void>> ContainerUnit::remove() {
  if (id_.empty()) co_return Result<void>();
  co_return co_await remove_container(false);
}

asio::awaitable<Result<void>> ContainerUnit::remove_all() {
  if (id_.empty()) co_return Result<void>();
  co_return co_await remove_container(true);
}

asio::awaitable<Result<void>> ContainerUnit::signal(int number) {
  CO_CHECK(shared_.reachable());
  co_return co_await shared_.engine.client().kill_container(id_, std::to_string(number));
}

asio::awaitable<Result<void>> ContainerUnit::pause() {
  CO_CHECK(shared_.reachable());
  co_return co_await shared_.engine.client().pause_container(id_);
}

asio::awaitable<Result<void>> ContainerUnit::resume() {
  CO_CHECK(shared_.reachable());
  co_return co_await shared_.engine.client().unpause_container(id_);
}

asio::awaitable<void> ContainerUnit::detach() { co_await looks_.stop(); }

void ContainerUnit::describe(UnitStatus& status) const {
  status.type = UnitType::container;
  status.id = id_.substr(0, 12);
  status.addresses = addresses_;
  status.started_at = started_at_;
  if (launching_ && !note_.empty()) status.detail = note_;
  const bool lives = !settled(status.state) || status.state == UnitState::running;
  if (shared_.engine.state().up || !lives) return;
  // What is shown is what was last known.
  status.detail = shared_.reachable().error().message;
  status.degraded = true;
}

}  // namespace devstack::supervisor
