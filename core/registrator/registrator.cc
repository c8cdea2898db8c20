#include "core/registrator/registrator.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>

#include "core/base/async/task_group.h"
#include "core/base/log.h"
#include "core/registrator/job_queue.h"
#include "core/registrator/registrar.h"

namespace devstack::registrator {
namespace {

using namespace std::chrono_literals;

constexpr int workers = 4;
constexpr auto reconcile_every = 60s;
/// A container that was told to stop and still runs after this long is registered again.
constexpr auto stop_patience = 15s;
constexpr auto first_retry = 500ms;
constexpr auto longest_retry = 30000ms;
constexpr auto first_sync_limit = 5s;

std::string attribute(const docker::Event& event, const std::string& name) {
  const auto found = event.attributes.find(name);
  return found == event.attributes.end() ? std::string() : found->second;
}

int number(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// "SIGTERM", "TERM", "15" -> 15; 0 for anything else.
int signal_number(std::string_view text) {
  if (text.starts_with("SIG")) text.remove_prefix(3);
  if (text.starts_with("RTMIN+")) return SIGRTMIN + number(text.substr(6));
  for (int signal = 1; signal < SIGRTMIN; ++signal) {
    const auto* name = ::sigabbrev_np(signal);
    if (name != nullptr && text == name) return signal;
  }
  return number(text);
}

/// Signals by which people end containers; others (HUP, USR1) usually mean "reload".
bool is_usual_stop_signal(int signal) {
  return signal == SIGTERM || signal == SIGKILL || signal == SIGINT || signal == SIGQUIT;
}

/// Registrator's rule for -deregister on-success: exit code 0, or ended by a signal.
bool counts_as_success(int exit_code) { return exit_code == 0 || (exit_code & 128) != 0; }

bool runs(const docker::Container& container) { return container.status == "running" || container.status == "paused"; }

}  // namespace

struct Registrator::Impl {
  Impl(asio::any_io_executor executor, docker::EngineWatcher& watcher, registry::RegistryView& view,
       registry::RegistryWriter& writer, RegistratorOptions given)
      : loop(executor),
        engine(watcher),
        options(std::move(given)),
        registrar(view, writer),
        work(loop),
        timing(loop),
        synced(loop) {
    if (options.adopt_by_id) registrar.ignore_source();
    registrar.contested = [this](std::string container) { push(Job{Job::Kind::refresh, std::move(container)}); };
  }

  // --- events ---
  docker::EngineWatcher::Listener listener();
  void on_event(const docker::Event& event);
  void on_container_event(const docker::Event& event);
  [[nodiscard]] bool means_stop(const docker::Event& event) const;
  void push(Job job) {
    queue.push_event(std::move(job));
    work.bump();
  }
  void reconcile() {
    queue.push_background(Job{Job::Kind::list, {}});
    work.bump();
  }

  // --- jobs ---
  asio::awaitable<void> serve();
  asio::awaitable<Result<void>> handle(Job job);
  asio::awaitable<Result<void>> refresh(Job job);
  asio::awaitable<Result<void>> take_out(std::string container);
  asio::awaitable<Result<void>> on_removed(Job job);
  asio::awaitable<Result<void>> list();
  asio::awaitable<Result<void>> sweep();
  asio::awaitable<void> keep_time();
  void failed(const Error& error);
  void round_done();

  asio::any_io_executor loop;
  docker::EngineWatcher& engine;
  RegistratorOptions options;
  Registrar registrar;
  JobQueue queue;
  Signal work, timing, synced;
  std::unique_ptr<TaskGroup> tasks;
  docker::EngineWatcher::Subscription subscription = 0;
  std::map<std::string, Instant> stopping;  ///< container -> until when it stays out though it still runs
  std::map<std::string, int> stop_signals;  ///< of containers whose own one is not a usual one
  std::set<std::string> kept;               ///< ended with an error and stays registered (on-success)
  Instant next_reconcile = Instant::max();
  std::chrono::milliseconds retry_pause = first_retry;
  bool round_failed = false;
  std::string trouble;  ///< the newest failure, until a round goes through
  std::function<void()> on_change;
};

docker::EngineWatcher::Listener Registrator::Impl::listener() {
  docker::EngineWatcher::Listener out;
  out.on_up = [this] {
    reconcile();
    on_change();
  };
  out.on_event = [this](const docker::Event& event) { on_event(event); };
  out.on_down = [this] {
    queue.clear_waiting();
    on_change();
  };
  return out;
}

void Registrator::Impl::on_event(const docker::Event& event) {
  if (event.type == "container") return on_container_event(event);
  if (event.type == "network" && (event.action == "connect" || event.action == "disconnect")) {
    if (auto container = attribute(event, "container"); !container.empty()) {
      push(Job{Job::Kind::refresh, std::move(container)});
    }
  }
}

void Registrator::Impl::on_container_event(const docker::Event& event) {
  using Kind = Job::Kind;
  const auto& action = event.action;
  if (action == "start") return push(Job{Kind::started, event.actor_id});
  if (action == "die") return push(Job{Kind::removed, event.actor_id, number(attribute(event, "exitCode"))});
  if (action == "destroy") return push(Job{Kind::removed, event.actor_id});
  if (action == "kill" && means_stop(event)) return push(Job{Kind::stopping, event.actor_id});
  if (action == "pause" || action == "unpause" || action == "rename" || action.starts_with("health_status")) {
    push(Job{Kind::refresh, event.actor_id});
  }
}

bool Registrator::Impl::means_stop(const docker::Event& event) const {
  const int signal = signal_number(attribute(event, "signal"));
  const auto own = stop_signals.find(event.actor_id);
  return is_usual_stop_signal(signal) || (own != stop_signals.end() && own->second == signal);
}

asio::awaitable<void> Registrator::Impl::serve() {
  for (;;) {
    const auto seen = work.version();
    auto job = queue.take();
    if (!job) {
      co_await work.wait_past(seen, Instant::max());
      continue;
    }
    const auto outcome = co_await handle(*job);
    queue.done(*job);
    work.bump();  // others may have waited for this container
    if (!outcome) failed(outcome.error());
  }
}

asio::awaitable<Result<void>> Registrator::Impl::handle(Job job) {
  switch (job.kind) {
    case Job::Kind::started:
      stopping.erase(job.container);
      kept.erase(job.container);
      co_return co_await refresh(std::move(job));
    case Job::Kind::refresh:
      co_return co_await refresh(std::move(job));
    case Job::Kind::stopping:
      stopping[job.container] = std::chrono::steady_clock::now() + stop_patience;
      timing.bump();
      if (options.deregister == DeregisterWhen::on_success) co_return Result<void>();  // how it ends decides
      co_return co_await take_out(job.container);
    case Job::Kind::removed:
      co_return co_await on_removed(std::move(job));
    case Job::Kind::list:
      co_return co_await list();
    case Job::Kind::sweep:
      co_return co_await sweep();
  }
  co_return Result<void>();
}

asio::awaitable<Result<void>> Registrator::Impl::take_out(std::string container) {
  std::vector<Registration> nothing;
  auto outcome = co_await registrar.converge(std::move(container), std::move(nothing), Registrar::TakeOver::no);
  on_change();
  co_return outcome;
}

asio::awaitable<Result<void>> Registrator::Impl::on_removed(Job job) {
  stopping.erase(job.container);
  stop_signals.erase(job.container);
  if (options.deregister == DeregisterWhen::on_success && !counts_as_success(job.exit_code)) {
    kept.insert(job.container);
    co_return Result<void>();
  }
  if (job.exit_code == 0) kept.erase(job.container);
  co_return co_await take_out(job.container);
}

asio::awaitable<Result<void>> Registrator::Impl::refresh(Job job) {
  if (kept.contains(job.container)) co_return Result<void>();
  if (const auto held = stopping.find(job.container); held != stopping.end()) {
    if (held->second > std::chrono::steady_clock::now()) co_return Result<void>();
    stopping.erase(held);
  }
  const auto container = co_await engine.client().inspect_container(job.container);
  if (!container && container.error().code != Errc::not_found) co_return tl::unexpected(container.error());
  if (!container || !runs(*container)) co_return co_await take_out(job.container);

  std::optional<docker::Container> network_owner;
  if (constexpr std::string_view prefix = "container:"; container->network_mode.starts_with(prefix)) {
    auto owner = co_await engine.client().inspect_container(container->network_mode.substr(prefix.size()));
    if (!owner && owner.error().code != Errc::not_found) co_return tl::unexpected(owner.error());
    if (owner) network_owner = std::move(*owner);
  }
  if (const int own = signal_number(container->stop_signal); own != 0) stop_signals[container->id] = own;
  // The id is the full one from here on, whatever the event called it.
  auto wanted = registrations(*container, options, network_owner ? &*network_owner : nullptr);
  const auto take_over = job.kind == Job::Kind::started ? Registrar::TakeOver::yes : Registrar::TakeOver::no;
  auto outcome = co_await registrar.converge(container->id, std::move(wanted), take_over);
  on_change();
  co_return outcome;
}

asio::awaitable<Result<void>> Registrator::Impl::list() {
  round_failed = false;
  next_reconcile = std::chrono::steady_clock::now() + reconcile_every;
  timing.bump();
  const auto running = co_await engine.client().list_containers(false);
  if (!running) co_return tl::unexpected(running.error());
  std::set<std::string> ids;
  for (const auto& container : *running) ids.insert(container.id);
  // Those that are not in the list are looked at too: they may have started since it was made.
  for (auto& container : registrar.containers()) ids.insert(std::move(container));
  for (const auto& id : ids) queue.push_background(Job{Job::Kind::refresh, id});
  queue.push_background(Job{Job::Kind::sweep, {}});
  co_return Result<void>();
}

asio::awaitable<Result<void>> Registrator::Impl::sweep() {
  // After a failed look at a container nobody knows whether its registrations are stale.
  if (round_failed) co_return Result<void>();
  const auto outcome = co_await registrar.sweep(options.hostname, options.adopt_by_id);
  if (outcome) round_done();
  co_return outcome;
}

void Registrator::Impl::round_done() {
  retry_pause = first_retry;
  trouble.clear();
  synced.bump();
  on_change();
}

void Registrator::Impl::failed(const Error& error) {
  round_failed = true;
  if (error.code == Errc::cancelled) return;
  // Without an engine there is nothing to retry: its return starts a reconciliation.
  if (!engine.state().up) return;
  if (trouble != error.message) log::warn("registrator", "{}; trying again", error.message);
  trouble = error.message;
  const auto retry_at = std::chrono::steady_clock::now() + retry_pause;
  if (retry_at < next_reconcile) {
    next_reconcile = retry_at;
    retry_pause = std::min<std::chrono::milliseconds>(retry_pause * 2, longest_retry);
  }
  timing.bump();
  on_change();
}

asio::awaitable<void> Registrator::Impl::keep_time() {
  for (;;) {
    const auto seen = timing.version();
    auto next = next_reconcile;
    for (const auto& [container, until] : stopping) next = std::min(next, until);
    if (next > std::chrono::steady_clock::now()) {
      co_await timing.wait_past(seen, next);
      continue;
    }
    const auto now = std::chrono::steady_clock::now();
    for (auto at = stopping.begin(); at != stopping.end();) {
      const auto current = at++;
      if (current->second > now) continue;
      push(Job{Job::Kind::refresh, current->first});
      stopping.erase(current);
    }
    if (next_reconcile <= now) {
      next_reconcile = now + reconcile_every;
      if (engine.state().up) reconcile();
    }
  }
}

Registrator::Registrator(asio::any_io_executor loop, docker::EngineWatcher& engine, registry::RegistryView& view,
                         registry::RegistryWriter& writer, RegistratorOptions options)
    : impl_(std::make_unique<Impl>(std::move(loop), engine, view, writer, std::move(options))) {
  impl_->on_change = [this] {
    if (on_change) on_change();
  };
}

Registrator::~Registrator() = default;

asio::awaitable<Result<void>> Registrator::start() {
  auto& impl = *impl_;
  if (impl.tasks) co_return Result<void>();
  impl.tasks = std::make_unique<TaskGroup>(impl.loop);
  for (int i = 0; i < workers; ++i) impl.tasks->spawn("registrator: worker", impl.serve());
  impl.tasks->spawn("registrator: timer", impl.keep_time());
  const auto seen = impl.synced.version();
  impl.subscription = impl.engine.subscribe(impl.listener());
  if (impl.engine.state().up) {
    co_await impl.synced.wait_past(seen, std::chrono::steady_clock::now() + first_sync_limit);
  }
  co_return Result<void>();
}

asio::awaitable<void> Registrator::stop() {
  auto& impl = *impl_;
  if (!impl.tasks) co_return;
  impl.engine.unsubscribe(impl.subscription);
  co_await impl.tasks->stop();
  impl.tasks.reset();
  impl.queue.clear();
  impl.stopping.clear();
  impl.next_reconcile = Instant::max();
}

ComponentReport Registrator::report() const {
  const auto& impl = *impl_;
  ComponentReport report;
  const auto& engine = impl.engine.state();
  if (!engine.up) {
    report.degraded = true;
    report.detail = engine.probed ? "no Docker engine: " + engine.detail : "looking for a Docker engine";
    return report;
  }
  report.detail =
      fmt::format("{} services of {} containers", impl.registrar.services(), impl.registrar.containers().size());
  if (!impl.trouble.empty()) {
    report.degraded = true;
    report.detail += "; " + impl.trouble;
  }
  return report;
}

asio::awaitable<std::vector<std::string>> Registrator::foretell(std::string container) {
  std::vector<std::string> names;
  const auto found = co_await impl_->engine.client().inspect_container(container);
  if (!found) co_return names;
  for (const auto& [service, checks] : registrations(*found, impl_->options)) {
    const bool udp = std::find(service.tags.begin(), service.tags.end(), "udp") != service.tags.end();
    if (!udp) names.push_back(service.name);
  }
  co_return names;
}

void Registrator::set_host_address(std::string address) {
  if (impl_->options.host_address == address) return;
  impl_->options.host_address = std::move(address);
  if (impl_->engine.state().up) impl_->reconcile();
}

}  // namespace devstack::registrator
