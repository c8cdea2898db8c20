#include "core/proxy/proxy.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "core/base/append.h"
#include "core/base/async/clock.h"
#include "core/base/async/task_group.h"
#include "core/base/log.h"
#include "core/proxy/listen_probe.h"

namespace devstack::proxy {
namespace {

using namespace std::chrono_literals;
using Watch = registry::Watch;

/// A new service rarely comes alone, and each one costs a reload; instances are not waited for.
constexpr auto debounce = 50ms;
constexpr auto registry_wait = 60s;
/// The route of a service that is gone stays without instances for so long, since a service that is started again has
/// only gone for a moment, and of many that go each would cost a reload.
constexpr auto linger = 2s;
constexpr auto expected_within = 60s;
constexpr auto unsynced_look = 500ms;
constexpr auto first_retry = 200ms;
constexpr auto longest_retry = 10000ms;
/// A program that has run this long is not in a crash loop.
constexpr auto stable_after = 30s;

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) append_part(out, part, ", ");
  return out;
}

std::string host_port(const std::string& address, std::uint16_t port) {
  const bool v6 = address.find(':') != std::string::npos;
  return fmt::format("{}:{}", v6 ? "[" + address + "]" : address, port);
}

}  // namespace

struct Proxy::Impl {
  Impl(asio::any_io_executor executor, registry::RegistryView& registry_view, std::unique_ptr<Engine> program,
       ProxyOptions given)
      : loop(executor), view(registry_view), engine(std::move(program)), options(std::move(given)), work(loop) {}

  asio::awaitable<void> follow_registry();
  asio::awaitable<void> follow_program();
  asio::awaitable<void> serve();
  asio::awaitable<Result<void>> converge();
  Model wanted();
  void keep_gone(Instant now);
  [[nodiscard]] Instant next_trim() const;
  Result<void> check_ports(Model& model);
  void failed(const Error& error);

  asio::any_io_executor loop;
  registry::RegistryView& view;
  std::unique_ptr<Engine> engine;
  ProxyOptions options;
  Signal work;
  std::unique_ptr<TaskGroup> tasks;
  RouteTable table;
  Model applied;
  std::vector<std::string> absent;  ///< addresses that the machine does not have now
  std::string trouble;
  std::map<std::string, Instant> kept;  ///< routes of services that the registry does not have, and until when
  Instant retry_at = Instant::max();
  Instant started_at = Instant::min();
  std::chrono::milliseconds pause = first_retry;
  std::function<void()> on_change;
};

Model Proxy::Impl::wanted() {
  // A registry without its data would empty every route.
  if (view.synced()) table = proxy::routes(*view.snapshot(), options.routes);
  const auto now = std::chrono::steady_clock::now();
  keep_gone(now);
  std::vector<std::string> empty;
  for (const auto& [service, until] : kept) {
    if (until > now) empty.push_back(service);
  }
  auto all = table.routes;
  add_empty_routes(all, empty, options.routes);
  return Model{options.bind, options.port, std::move(all), options.extra};
}

void Proxy::Impl::keep_gone(Instant now) {
  std::erase_if(kept, [&](const auto& entry) {
    const bool is_there = find_route(table.routes, entry.first) != nullptr;
    const bool is_trimmed = entry.second <= now && find_route(applied.routes, entry.first) == nullptr;
    return is_there || is_trimmed;
  });
  for (const auto& route : applied.routes) {
    if (find_route(table.routes, route.service) == nullptr) kept.try_emplace(route.service, now + linger);
  }
}

/// When a kept route's time is over.
Instant Proxy::Impl::next_trim() const {
  auto next = Instant::max();
  for (const auto& [service, until] : kept) next = std::min(next, until);
  return next;
}

Result<void> Proxy::Impl::check_ports(Model& model) {
  absent.clear();
  const bool ours = engine->holds_ports();
  for (const auto& address : options.bind) {
    const bool already = ours && std::find(applied.bind.begin(), applied.bind.end(), address) != applied.bind.end();
    const auto probe = already ? ListenProbe::possible : probe_listen(address, model.port);
    if (probe == ListenProbe::no_address) {
      absent.push_back(address);
    } else if (probe == ListenProbe::refused) {
      return fail(Errc::permission, "port {} needs root or CAP_NET_BIND_SERVICE: set proxy.http in stack.yaml",
                  model.port);
    } else if (probe == ListenProbe::taken && !(ours && applied.bind.empty())) {
      const auto holder = options.describe_taken ? options.describe_taken(model.port) : std::string("another program");
      return fail(Errc::port_taken, "port {}/tcp on {} is taken by {}: stop it, or set proxy.http in stack.yaml",
                  model.port, address, holder);
    }
  }
  std::erase_if(model.bind, [&](const std::string& address) {
    return std::find(absent.begin(), absent.end(), address) != absent.end();
  });
  if (model.bind.empty()) {
    return fail(Errc::unavailable, "this machine has none of the addresses {}: set proxy.bind in stack.yaml",
                join(options.bind));
  }
  return {};
}

asio::awaitable<Result<void>> Proxy::Impl::converge() {
  auto model = wanted();
  CO_CHECK(check_ports(model));
  if (engine->running() && model == applied) co_return Result<void>();
  const bool was_running = engine->running();
  CO_CHECK(co_await engine->apply(model));
  if (!was_running) started_at = std::chrono::steady_clock::now();
  applied = std::move(model);
  log::debug("proxy", "{} routes", applied.routes.size());
  co_return Result<void>();
}

asio::awaitable<void> Proxy::Impl::serve() {
  std::uint64_t seen = 0;
  for (;;) {
    // A retry that waits tries what is to be trimmed as well.
    const auto until = retry_at == Instant::max() ? next_trim() : retry_at;
    co_await work.wait_past(seen, until);
    seen = work.version();
    if (engine->running() && !only_backends_differ(applied, wanted())) {
      co_await steady_clock().sleep_for(debounce);
      seen = work.version();
    }
    const auto outcome = co_await converge();
    retry_at = Instant::max();
    if (outcome) {
      trouble.clear();
      if (std::chrono::steady_clock::now() - started_at > stable_after) pause = first_retry;
    } else {
      failed(outcome.error());
    }
    if (on_change) on_change();
  }
}

void Proxy::Impl::failed(const Error& error) {
  if (trouble != error.message) log::error("proxy", "{}", error.message);
  trouble = error.message;
  retry_at = std::chrono::steady_clock::now() + pause;
  pause = std::min<std::chrono::milliseconds>(pause * 2, longest_retry);
}

asio::awaitable<void> Proxy::Impl::follow_registry() {
  for (;;) {
    const bool synced = view.synced();
    const auto state = view.snapshot();
    std::vector<Watch> watches{{Watch::Table::services, {}}, {Watch::Table::nodes, {}}};
    for (const auto& [service, tags] : state->services()) watches.push_back({Watch::Table::service, service});
    const auto limit = std::chrono::steady_clock::now() +
                       (synced ? Instant::duration(registry_wait) : Instant::duration(unsynced_look));
    const bool changed = co_await view.wait(std::move(watches), state->index(), limit);
    if (changed || view.synced() != synced) work.bump();
  }
}

asio::awaitable<void> Proxy::Impl::follow_program() {
  auto seen = engine->died().version();
  for (;;) {
    co_await engine->died().wait_past(seen, Instant::max());
    seen = engine->died().version();
    trouble = engine->program() + " ended and is started again";
    if (on_change) on_change();
    // The first restart is immediate; a program that keeps dying waits longer each time.
    const bool was_stable = std::chrono::steady_clock::now() - started_at > stable_after;
    if (was_stable) pause = first_retry;
    const auto wait = was_stable ? std::chrono::milliseconds(0) : pause;
    pause = std::min<std::chrono::milliseconds>(pause * 2, longest_retry);
    co_await steady_clock().sleep_for(wait);
    work.bump();
  }
}

Proxy::Proxy(asio::any_io_executor loop, registry::RegistryView& view, std::unique_ptr<Engine> engine,
             ProxyOptions options)
    : impl_(std::make_unique<Impl>(std::move(loop), view, std::move(engine), std::move(options))) {
  impl_->on_change = [this] {
    if (on_change) on_change();
  };
}

Proxy::~Proxy() = default;

asio::awaitable<Result<void>> Proxy::start() {
  auto& impl = *impl_;
  if (impl.tasks) co_return Result<void>();
  if (auto started = co_await impl.converge(); !started) {
    co_await impl.engine->stop();
    co_return started;
  }
  impl.trouble.clear();
  impl.pause = first_retry;
  impl.retry_at = Instant::max();
  impl.tasks = std::make_unique<TaskGroup>(impl.loop);
  impl.work.bump();  // what changed since the snapshot above
  impl.tasks->spawn("proxy: registry", impl.follow_registry());
  impl.tasks->spawn("proxy: program", impl.follow_program());
  impl.tasks->spawn("proxy: serve", impl.serve());
  log::info("proxy", "{} answers for {} services on port {}", impl.engine->program(), impl.table.routes.size(),
            impl.options.port);
  co_return Result<void>();
}

asio::awaitable<void> Proxy::stop() {
  auto& impl = *impl_;
  if (impl.tasks) co_await impl.tasks->stop();
  impl.tasks.reset();
  co_await impl.engine->stop();
  impl.applied = Model{};
  impl.kept.clear();
}

ComponentReport Proxy::report() const {
  const auto& impl = *impl_;
  ComponentReport report;
  for (const auto& address : impl.applied.bind) report.addresses.push_back(host_port(address, impl.applied.port));
  const auto port = impl.options.port == 80 ? std::string() : fmt::format(":{}", impl.options.port);
  std::size_t services = 0, backends = 0;
  for (const auto& route : impl.applied.routes) {
    if (find_route(impl.table.routes, route.service) == nullptr) continue;
    report.links.push_back("http://" + route.hosts.front() + port + "/");
    ++services;
    backends += route.backends.size();
  }
  report.detail = fmt::format("{} services, {} instances", services, backends);
  if (!impl.absent.empty()) report.detail += "; no address " + join(impl.absent) + " on this machine now";
  for (const auto& skipped : impl.table.skipped) report.detail += "; " + skipped.what + " has no route: " + skipped.why;
  if (!impl.trouble.empty()) report.detail += "; " + impl.trouble;
  report.degraded = !impl.trouble.empty() || !impl.absent.empty();
  return report;
}

void Proxy::set_binds(std::vector<std::string> addresses) {
  impl_->options.bind = std::move(addresses);
  impl_->work.bump();
}

void Proxy::set_extra(std::string extra) {
  impl_->options.extra = std::move(extra);
  impl_->work.bump();
}

void Proxy::expect(const std::vector<std::string>& services) {
  for (const auto& service : services) impl_->kept[service] = std::chrono::steady_clock::now() + expected_within;
  impl_->work.bump();
}

bool Proxy::routes_now(std::string_view service) const {
  const auto wanted = proxy::routes(*impl_->view.snapshot(), impl_->options.routes);
  const Route* want = find_route(wanted.routes, service);
  const Route* have = find_route(impl_->applied.routes, service);
  return want == nullptr || (have != nullptr && *have == *want);
}
const RouteTable& Proxy::table() const { return impl_->table; }

HaproxyProxy::HaproxyProxy(asio::any_io_executor loop, registry::RegistryView& view, ProxyOptions options,
                           HaproxyOptions haproxy)
    : HaproxyProxy(loop, view, std::move(options),
                   std::make_unique<HaproxyEngine>(loop, std::move(haproxy)).release()) {}

HaproxyProxy::HaproxyProxy(asio::any_io_executor loop, registry::RegistryView& view, ProxyOptions options,
                           HaproxyEngine* engine)
    : Proxy(std::move(loop), view, std::unique_ptr<Engine>(engine), std::move(options)), haproxy_(*engine) {}

int HaproxyProxy::pid() const { return haproxy_.pid(); }
std::uint64_t HaproxyProxy::reloads() const { return haproxy_.reloads(); }

}  // namespace devstack::proxy
