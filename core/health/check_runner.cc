#include "core/health/check_runner.h"

#include <unistd.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <random>
#include <set>
#include <utility>

#include "core/base/ascii.h"
#include "core/base/async/signal.h"
#include "core/base/async/task_group.h"
#include "core/base/log.h"
#include "core/health/alias.h"
#include "core/health/reaper.h"
#include "core/health/schedule.h"
#include "core/health/status_handler.h"

namespace devstack::health {
namespace {

using registry::Check;
using registry::State;
using registry::Watch;
using Kind = registry::CheckDefinition::Kind;

/// After a change of the registry the checks are compared again, but not more often than this.
constexpr auto sync_pause = std::chrono::milliseconds(100);
constexpr auto never = Instant::max();
constexpr std::string_view no_scripts =
    "Scripts are disabled on this agent; to enable, configure 'enable_script_checks' to true";
/// What a service's sidecar is called (Consul's agent removes it with its service).
constexpr std::string_view sidecar_suffix = "-sidecar-proxy";

bool is_probed(Kind kind) { return kind != Kind::none && kind != Kind::ttl && kind != Kind::alias; }
bool is_script(Kind kind) { return kind == Kind::script || kind == Kind::docker; }

std::map<std::string, std::string> own_environment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

/// The same check, told again: not a new one by the same id.
bool same_check(const Check& a, const Check& b) {
  return a.create_index == b.create_index && a.definition == b.definition;
}

struct Flight {
  explicit Flight(const asio::any_io_executor& executor) : gone(executor) {}
  Signal gone;  ///< the check was removed or replaced: the probe's result is nobody's
};

struct News {
  CheckPtr about;
  std::string status, output;
};

/// Several news on their way to the registry.
struct Telling {
  Telling(const asio::any_io_executor& executor, std::size_t count) : left(count), done(executor) {}
  std::size_t left;
  Signal done;  ///< the last one was told
};
struct Told {
  std::shared_ptr<Telling> telling;
  ~Told() {
    if (--telling->left == 0) telling->done.bump();
  }
};

struct Watched {
  CheckPtr check;
  StatusHandler handler;
  std::shared_ptr<Flight> flight;  ///< while its probe runs
};

}  // namespace

struct CheckRunner::Impl : std::enable_shared_from_this<Impl> {
  Impl(asio::any_io_executor executor, registry::RegistryView& registry, registry::RegistryWriter& commands,
       CheckRunnerOptions how, Clock& time)
      : loop(executor), view(registry), writer(commands), options(std::move(how)), clock(time), changed(executor) {}

  using Self = std::shared_ptr<Impl>;

  // --- What there is to run ---

  void watch(const CheckPtr& check) {
    auto known = watched.find(check->id);
    if (known != watched.end() && same_check(*known->second.check, *check)) {
      known->second.check = check;
      return;
    }
    forget(check->id);
    const auto& definition = check->definition;
    StatusHandler handler(definition.success_before_passing, definition.failures_before_critical);
    watched.emplace(check->id, Watched{check, handler, nullptr});
    schedule.set(check->id, definition.interval, clock.now(), draw());
    changed.bump();
  }

  double draw() { return options.chance ? options.chance() : std::uniform_real_distribution<>(0, 1)(random); }

  void forget(const std::string& id) {
    const auto known = watched.find(id);
    if (known == watched.end()) return;
    if (known->second.flight) known->second.flight->gone.bump();
    watched.erase(known);
    schedule.erase(id);
  }

  /// Follows what changed since the last time.
  void sync(const State& state) {
    const auto change = [this](const std::string&, const CheckPtr* was, const CheckPtr* now) {
      if (was != nullptr && (now == nullptr || (*was)->id != (*now)->id)) drop(**was);
      if (now != nullptr) take(*now);
    };
    registry::CheckTable::for_each_change(seen, state.check_table(), change);
    seen = state.check_table();
  }

  [[nodiscard]] bool is_own(const Check& check) const { return equal_ignoring_case(check.node, node); }

  void drop(const Check& check) {
    if (!is_own(check)) return;
    forget(check.id);
    aliases.erase(check.id);
    silenced.erase(check.id);
    reaper.forget(check.id);
  }

  /// A check that is new or changed.
  void take(const CheckPtr& check) {
    if (!is_own(*check)) return;
    const auto kind = check->definition.kind;
    const bool muted = is_script(kind) && !options.enable_scripts;
    place(aliases, check, check->agent_owned && kind == Kind::alias);
    place(silenced, check, check->agent_owned && muted);
    if (check->agent_owned && is_probed(kind) && !muted) {
      watch(check);
    } else {
      forget(check->id);
    }
    // A check that nobody may run says nothing about its service.
    if (muted) return reaper.forget(check->id);
    reaper.observe(*check, clock.now());
  }

  using Checks = std::map<std::string, CheckPtr>;
  static void place(Checks& checks, const CheckPtr& check, bool belongs) {
    if (belongs) {
      checks.insert_or_assign(check->id, check);
    } else {
      checks.erase(check->id);
    }
  }

  [[nodiscard]] std::vector<Watch> watches() const {
    std::set<std::string> nodes{node};
    for (const auto& [id, check] : aliases) {
      if (!check->definition.alias_node.empty()) nodes.insert(check->definition.alias_node);
    }
    std::vector<Watch> out;
    for (const auto& name : nodes) {
      out.push_back({Watch::Table::node_checks, name});
      // An alias must see its target come and go.
      if (!aliases.empty()) out.push_back({Watch::Table::node, name});
    }
    return out;
  }

  static asio::awaitable<void> follow(Self self) {
    while (true) {
      const auto state = self->view.snapshot();
      self->sync(*state);
      std::vector<News> news;
      for (const auto& [id, check] : self->silenced) news.push_back({check, check->status, std::string(no_scripts)});
      co_await tell_all(self, std::move(news));
      co_await tell_aliases(self);
      auto watches = self->watches();
      co_await self->view.wait(std::move(watches), state->index(), never);
      co_await self->clock.sleep_for(sync_pause);
    }
  }

  static asio::awaitable<void> tell_aliases(Self self) {
    const auto state = self->view.snapshot();
    std::vector<News> news;
    for (const auto& [id, check] : self->aliases) {
      auto health = alias_health(*state, *check);
      news.push_back({check, std::move(health.status), std::move(health.output)});
    }
    co_await tell_all(self, std::move(news));
  }

  // --- Runs ---

  static asio::awaitable<void> serve(Self self) {
    using namespace asio::experimental::awaitable_operators;
    while (true) {
      const auto seen = self->changed.version();
      const auto now = self->clock.now();
      if (self->next_sweep <= now) {
        self->next_sweep = now + reap_interval;
        self->tasks->spawn("health: sweep", sweep(self));
      }
      self->launch(now);
      const bool full = self->running >= self->options.probes_at_once;
      const auto next = full ? self->next_sweep : std::min(self->next_sweep, self->schedule.next());
      if (next > now) co_await (self->clock.sleep_until(next) || self->changed.wait_past(seen, never));
    }
  }

  void launch(Instant now) {
    for (auto& run : schedule.take_due(now, options.probes_at_once - running)) {
      auto& entry = watched.at(run.id);
      entry.flight = std::make_shared<Flight>(loop);
      ++running;
      flights->spawn("health: check", fly(shared_from_this(), std::move(run), entry.check, entry.flight));
    }
  }

  /// However a flight ends, cancelled ones included.
  struct Landing {
    Self self;
    Schedule::Run run;
    std::shared_ptr<Flight> flight;
    ~Landing() {
      if (self->running-- >= self->options.probes_at_once) self->changed.bump();  // others wait for the place
      self->schedule.finished(run);
      const auto known = self->watched.find(run.id);
      if (known != self->watched.end() && known->second.flight == flight) known->second.flight = nullptr;
    }
  };

  static asio::awaitable<void> fly(Self self, Schedule::Run run, CheckPtr check, std::shared_ptr<Flight> flight) {
    using namespace asio::experimental::awaitable_operators;
    const Landing landing{self, run, flight};
    auto ended = co_await (probe(self, check) || flight->gone.wait_past(0, never));
    if (ended.index() != 0) co_return;
    ++self->probes;
    auto result = std::move(std::get<0>(ended));
    const auto known = self->watched.find(run.id);
    if (known == self->watched.end() || known->second.flight != flight) co_return;
    if (!result.at_once && !known->second.handler.record(result.status)) co_return;
    co_await tell(self, check, std::move(result.status), std::move(result.output));
  }

  static asio::awaitable<CheckResult> probe(Self self, CheckPtr check) {
    if (self->options.probe) return self->options.probe(std::move(check));
    switch (check->definition.kind) {
      case Kind::http:
        return probe_http(std::move(check));
      case Kind::tcp:
        return probe_tcp(std::move(check));
      case Kind::script:
        return probe_script(std::move(check), *self->options.environment);
      case Kind::docker:
        return probe_docker(std::move(check), self->engine);
      case Kind::grpc:
        return probe_grpc(std::move(check));
      default:
        return probe_h2ping(std::move(check));
    }
  }

  // --- What the registry is told ---

  /// All at once, so that they share a commit; ends when the last is written.
  static asio::awaitable<void> tell_all(Self self, std::vector<News> news) {
    std::erase_if(news, [&self](const News& one) {
      const auto current = self->view.snapshot()->check(self->node, one.about->id);
      return current && current->status == one.status && current->output == one.output;
    });
    if (news.empty()) co_return;
    const auto telling = std::make_shared<Telling>(self->loop, news.size());
    for (auto& one : news) self->tasks->spawn("health: tell", tell_one(self, std::move(one), telling));
    co_await telling->done.wait_past(0, never);
  }

  static asio::awaitable<void> tell_one(Self self, News news, std::shared_ptr<Telling> telling) {
    const Told told{telling};
    co_await tell(self, std::move(news.about), std::move(news.status), std::move(news.output));
  }

  static asio::awaitable<void> tell(Self self, CheckPtr about, std::string status, std::string output) {
    const auto current = self->view.snapshot()->check(self->node, about->id);
    if (!current || !same_check(*current, *about)) co_return;
    if (current->status == status && current->output == output) co_return;
    registry::Command command =
        registry::UpdateCheckCommand{self->node, about->id, std::move(status), std::move(output), about->definition};
    const auto done = co_await self->writer.apply(std::move(command));
    if (done || done.error().code == Errc::not_found || done.error().code == Errc::cancelled) co_return;
    // The next run says it again.
    log::warn("health", "the result of check {} could not be written: {}", about->id, done.error().message);
  }

  /// Every 30 s: services to remove, and the texts of aliases, whose targets' outputs change without waking anybody.
  static asio::awaitable<void> sweep(Self self) {
    const auto state = self->view.snapshot();
    self->sync(*state);
    for (const auto& id : self->reaper.due(self->clock.now())) {
      log::info("health", "service {} was critical for too long and is deregistered", id);
      co_await deregister(self, id);
      const auto sidecar = state->service(self->node, id + std::string(sidecar_suffix));
      if (sidecar && sidecar->kind == "connect-proxy") co_await deregister(self, sidecar->id);
    }
    co_await tell_aliases(self);
  }

  static asio::awaitable<void> deregister(Self self, std::string service_id) {
    registry::Command command = registry::DeregisterCommand{self->node, service_id, ""};
    const auto done = co_await self->writer.apply(std::move(command));
    if (!done) log::warn("health", "service {} could not be deregistered: {}", service_id, done.error().message);
  }

  // --- Life ---

  void begin() {
    if (tasks) return;
    node = writer.identity().node;
    next_sweep = clock.now() + reap_interval;
    tasks = std::make_unique<TaskGroup>(loop);
    flights = std::make_unique<TaskGroup>(loop);
    tasks->spawn("health: follow checks", follow(shared_from_this()));
    tasks->spawn("health: run checks", serve(shared_from_this()));
  }

  static asio::awaitable<void> end(Self self) {
    if (!self->tasks) co_return;
    co_await self->tasks->stop();
    co_await self->flights->stop();
    self->tasks.reset();
    self->flights.reset();
    self->watched.clear();
    self->aliases.clear();
    self->silenced.clear();
    self->seen = {};
    self->schedule = {};
    self->reaper = {};
  }

  asio::any_io_executor loop;
  registry::RegistryView& view;
  registry::RegistryWriter& writer;
  CheckRunnerOptions options;
  Clock& clock;
  std::shared_ptr<docker::Client> engine;
  std::string node;
  std::map<std::string, Watched> watched;  ///< by check id; what the schedule holds
  Checks aliases;                          ///< by check id, as `silenced`
  Checks silenced;                         ///< scripts that may not run
  registry::CheckTable seen;               ///< what `sync` compared last
  Schedule schedule;
  Reaper reaper;
  Instant next_sweep = never;
  std::size_t running = 0;
  std::uint64_t probes = 0;
  std::mt19937_64 random{std::random_device{}()};
  Signal changed;
  std::unique_ptr<TaskGroup> tasks, flights;  ///< while started
};

CheckRunner::CheckRunner(asio::any_io_executor loop, registry::RegistryView& view, registry::RegistryWriter& writer,
                         CheckRunnerOptions options, Clock& clock)
    : impl_(std::make_shared<Impl>(std::move(loop), view, writer, std::move(options), clock)) {
  if (!impl_->options.environment) impl_->options.environment = own_environment();
  auto engine = std::move(impl_->options.engine);
  if (!engine) {
    // A $DOCKER_HOST that cannot be read is told when a Docker check finds nobody there.
    auto found = docker::Client::connect_to();
    engine = found ? std::move(*found) : docker::Client(http::Target::unix_socket("/var/run/docker.sock"));
  }
  impl_->engine = std::make_shared<docker::Client>(std::move(*engine));
}
CheckRunner::~CheckRunner() = default;
void CheckRunner::start() { impl_->begin(); }
asio::awaitable<void> CheckRunner::stop() { return Impl::end(impl_); }
CheckRunner::Stats CheckRunner::stats() const { return {impl_->schedule.size(), impl_->running, impl_->probes}; }

}  // namespace devstack::health
