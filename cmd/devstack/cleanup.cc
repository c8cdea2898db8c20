#include "cmd/devstack/cleanup.h"

#include <filesystem>
#include <string>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/load_records.h"
#include "cmd/devstack/log_keeping.h"
#include "core/base/log.h"
#include "core/docker/engine_watcher.h"
#include "core/proxy/haproxy_engine.h"
#include "core/registry/registry.h"
#include "core/supervisor/supervisor.h"

namespace devstack {
namespace {

using namespace std::chrono_literals;

/// A supervisor whose plan is empty: whatever it finds of the project is not wanted.
asio::awaitable<Result<void>> retire_everything(supervisor::Supervisor& supervisor, std::string project,
                                                supervisor::DownOptions how) {
  stack::Plan nothing;
  nothing.project = std::move(project);
  CO_CHECK(co_await supervisor.start_components());
  supervisor.apply(std::move(nothing));
  const Instant limit = steady_clock().now() + 60s;
  for (auto seen = supervisor.changed().version(); !supervisor.status().healthy;
       seen = supervisor.changed().version()) {
    const bool changed = co_await supervisor.changed().wait_past(seen, limit);
    if (!changed) break;
  }
  co_return co_await supervisor.down(how);
}

asio::awaitable<Result<void>> clean_up(StatePaths paths, std::string project, supervisor::DownOptions how) {
  const auto loop = co_await asio::this_coro::executor;
  proxy::HaproxyOptions haproxy;
  haproxy.state_dir = paths.proxy();
  proxy::HaproxyEngine left_proxy(loop, std::move(haproxy));
  co_await left_proxy.stop();

  CO_TRY(auto client, docker::Client::connect_to());
  docker::EngineWatcher engine(loop, std::move(client));
  engine.start();
  co_await engine.wait_probed(2s);
  registry::RegistryOptions in_memory;
  in_memory.identity.node = "cleanup";
  in_memory.identity.address = "127.0.0.1";
  CO_TRY(auto registry, co_await registry::Registry::open(loop, std::move(in_memory)));
  // What was printed since the crash is kept as if there had been none.
  logs::LogKeeper keeper(loop, paths.logs(project), engine_logs(engine));
  supervisor::SupervisorOptions options;
  options.state_dir = paths.root;
  options.project = project;
  options.before_remove = [&keeper](std::string unit, std::string container) {
    return keeper.drain(std::move(unit), container.substr(0, 12));
  };
  Result<void> outcome;
  {
    supervisor::Supervisor supervisor(loop, std::move(options), engine, *registry, *registry);
    outcome = co_await retire_everything(supervisor, project, how);
  }
  co_await keeper.stop();
  const bool looked = engine.state().up;
  co_await engine.stop();
  co_await registry->close();
  CO_CHECK(std::move(outcome));
  std::error_code ignored;
  if (how.volumes) std::filesystem::remove_all(paths.logs(project), ignored);
  // Without an engine its containers could not be looked for: remember whose they are.
  if (looked) forget_load(paths, project);
  std::filesystem::remove(paths.control_socket(), ignored);
  co_return Result<void>();
}

}  // namespace

Result<void> clean_up_after_crash(const StatePaths& paths, std::string project, supervisor::DownOptions options) {
  log::set_level(log::Level::error);
  return run_blocking(clean_up(paths, std::move(project), options));
}

}  // namespace devstack
