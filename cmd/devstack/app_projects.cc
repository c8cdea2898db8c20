#include "cmd/devstack/app_projects.h"

#include <algorithm>

#include "cmd/devstack/app_parts.h"
#include "cmd/devstack/load_records.h"
#include "core/base/log.h"
#include "core/stack/plan.h"

namespace devstack {
namespace {

using namespace std::chrono_literals;
/// A project that comes up again waits this long for its own end.
constexpr auto gone_limit = 60s;

void add_line(std::string& text, const std::string& line) {
  if (line.empty()) return;
  if (!text.empty()) text += '\n';
  text += line;
}

}  // namespace

AppProjects::AppProjects(ProjectsInput input)
    : input_(std::move(input)),
      paths_(input_.state_dir),
      projects_(input_.loop, [this](const std::string& project, std::function<void()> on_change) {
        return make(project, std::move(on_change));
      }) {
  projects_.on_down = [this](std::string project) { return end_logs(std::move(project)); };
}

std::unique_ptr<supervisor::Supervisor> AppProjects::make(const std::string& project, std::function<void()> on_change) {
  const auto at = loaded_.find(project);
  const bool known = at != loaded_.end();
  auto options = supervisor_options(known ? at->second.file : input_.components, input_.state_dir);
  options.project = project.empty() ? ".components" : project;
  options.on_change = std::move(on_change);
  if (known) {
    // Its processes find the programs that its own `up` would have found.
    const auto path = at->second.load.environment.find("PATH");
    if (path != at->second.load.environment.end()) options.process_path = paths_.programs() + ":" + path->second;
  }
  options.before_remove = [this, project](std::string unit, std::string container) {
    return drain(project, std::move(unit), std::move(container));
  };
  input_.complete(options);
  return std::make_unique<supervisor::Supervisor>(input_.loop, std::move(options), input_.engine, input_.registry,
                                                  input_.registry);
}

Result<stack::Plan> AppProjects::plan_of(const stack::StackFile& file) const {
  return stack::make_plan(file, input_.engine.state().up ? stack::EngineAvailable::yes : stack::EngineAvailable::no);
}

asio::awaitable<void> AppProjects::drain(std::string project, std::string unit, std::string container) {
  const auto at = logs_.find(project);
  if (at != logs_.end()) co_await at->second->drain(std::move(unit), std::move(container));
}

asio::awaitable<void> AppProjects::end_logs(std::string project) {
  auto entry = logs_.extract(project);
  if (entry) co_await entry.mapped()->stop();
}

asio::awaitable<void> AppProjects::stop_logs() {
  while (!logs_.empty()) co_await end_logs(logs_.begin()->first);
}

asio::awaitable<void> AppProjects::wait_gone(std::string project) {
  const Instant limit = steady_clock().now() + gone_limit;
  for (;;) {
    const auto seen = projects_.changed().version();
    const auto* going = projects_.find(project);
    if (going == nullptr || !going->status().stopping) co_return;
    const bool changed = co_await projects_.changed().wait_past(seen, limit);
    if (!changed) co_return;
  }
}

asio::awaitable<Result<std::string>> AppProjects::apply(stack::LoadOptions load, stack::StackFile file) {
  if (!projects_.status().stopping) co_await wait_gone(file.project);
  if (projects_.status().stopping) co_return fail(Errc::unavailable, "devstack is stopping: try again");
  CO_TRY(auto plan, plan_of(file));
  const std::string project = file.project;
  const bool joins = projects_.find(project) == nullptr;
  if (joins) CO_CHECK(co_await seed_keys(input_.registry, file.registry.kv));
  CO_CHECK(save_load(paths_, project, load));
  loaded_[project] = Loaded{std::move(load), file};
  auto& supervisor = projects_.project(project);
  auto& logs = logs_[project];
  if (!logs) logs = std::make_unique<LogKeeping>(input_.loop, paths_.logs(project), input_.engine, supervisor);
  std::string said;
  if (project == input_.components.project) {
    said = describe_changes(stack::diff(supervisor.plan(), plan), input_.components, file);
  } else {
    said = describe_changes(stack::diff(supervisor.plan(), plan), file, file);
    const auto unused = unused_settings(input_.components, file);
    if (!unused.empty()) {
      add_line(said, fmt::format("components run as {} has them ({}); not used of {}: {}", input_.components.project,
                                 input_.components.path, project, unused));
    }
  }
  supervisor.apply(std::move(plan));
  co_return said;
}

asio::awaitable<Result<std::string>> AppProjects::reload() {
  std::string said;
  const auto names = projects_.names();
  for (const auto& name : names) {
    const auto at = loaded_.find(name);
    if (at == loaded_.end()) continue;
    auto load = at->second.load;
    CO_TRY(auto file, stack::load(load));
    CO_TRY(const auto changes, co_await apply(std::move(load), std::move(file)));
    add_line(said, changes);
  }
  co_return said;
}

asio::awaitable<void> AppProjects::take_back(std::string own) {
  const auto saved = saved_loads(paths_);
  for (const auto& record : saved) {
    if (record.project == own) continue;
    auto file = stack::load(record.load);
    Result<std::string> applied = fail(Errc::failed, "its file is of project {} now", file ? file->project : "");
    if (!file) applied = tl::unexpected(file.error());
    if (file && file->project == record.project) applied = co_await apply(record.load, std::move(*file));
    if (!applied) {
      log::warn("core", "project {} is not taken back: {}; `devstack down -p {}` removes what is left of it",
                record.project, applied.error().to_string(), record.project);
    }
  }
}

bool AppProjects::leaves_others(const std::string& project) const {
  const auto names = projects_.names();
  return std::any_of(names.begin(), names.end(), [&](const auto& name) { return name != project; });
}

asio::awaitable<Result<void>> AppProjects::down(std::string project, std::optional<std::chrono::seconds> grace) {
  const auto outcome = co_await projects_.down(project, grace);
  if (projects_.find(project) == nullptr) loaded_.erase(project);
  if (outcome) forget_load(paths_, project);
  co_return outcome;
}

asio::awaitable<Result<void>> AppProjects::down_all(std::optional<std::chrono::seconds> grace) {
  const auto names = projects_.names();
  const auto outcome = co_await projects_.down_all(grace);
  if (outcome) {
    for (const auto& name : names) forget_load(paths_, name);
  }
  co_return outcome;
}

}  // namespace devstack
