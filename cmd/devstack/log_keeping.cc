#include "cmd/devstack/log_keeping.h"

#include <fmt/format.h>

namespace devstack {
namespace {

using supervisor::UnitState;
using supervisor::UnitStatus;

bool may_write(UnitState state) {
  return state == UnitState::starting || state == UnitState::running || state == UnitState::unhealthy ||
         state == UnitState::stopping;
}

logs::LogSource source_of(const UnitStatus& unit, const supervisor::Supervisor& supervisor) {
  logs::LogSource source;
  source.unit = unit.name;
  if (unit.type == supervisor::UnitType::container) {
    source.container = unit.id;
  } else {
    source.spool = supervisor.log_file(unit.name);
  }
  source.up = may_write(unit.state);
  const auto life =
      fmt::format("{} {} {} {} {}", unit.id, source.up, unit.started_at, unit.restarts, to_string(unit.state));
  source.turn = std::hash<std::string>()(life);
  return source;
}

}  // namespace

logs::ContainerLog engine_logs(docker::EngineWatcher& engine) {
  return [&engine](std::string id, bool follow, std::int64_t since,
                   std::function<Result<void>(logs::Stream, std::string_view)> on_bytes) {
    return engine.client().timed_logs(std::move(id), follow, since,
                                      [take = std::move(on_bytes)](docker::LogStream stream, std::string_view bytes) {
                                        const bool out = stream == docker::LogStream::out;
                                        return take(out ? logs::Stream::out : logs::Stream::err, bytes);
                                      });
  };
}

LogKeeping::LogKeeping(const asio::any_io_executor& loop, const std::string& dir, docker::EngineWatcher& engine,
                       supervisor::Supervisor& supervisor)
    : supervisor_(supervisor), keeper_(loop, dir, engine_logs(engine)), tasks_(loop) {
  tasks_.spawn("logs: follow units", follow_units());
}

asio::awaitable<void> LogKeeping::follow_units() {
  for (;;) {
    const auto seen = supervisor_.changed().version();
    std::vector<logs::LogSource> sources;
    for (const auto& unit : supervisor_.status().services) {
      auto source = source_of(unit, supervisor_);
      if (!source.container.empty() || !source.spool.empty()) sources.push_back(std::move(source));
    }
    keeper_.follow(std::move(sources));
    co_await supervisor_.changed().wait_past(seen, Instant::max());
  }
}

asio::awaitable<void> LogKeeping::drain(std::string unit, std::string container) {
  // The status names containers by the first characters of their id.
  co_await keeper_.drain(std::move(unit), container.substr(0, 12));
}

asio::awaitable<void> LogKeeping::stop() {
  co_await tasks_.stop();
  co_await keeper_.stop();
}

}  // namespace devstack
