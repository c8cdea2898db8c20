#include "cmd/devstack/app_projects.h"

#include <algorithm>
#include <filesystem>

#include "cmd/devstack/app_parts.h"
#include "cmd/devstack/changes.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/load_records.h"
#include "core/base/append.h"
#include "core/base/log.h"
#include "core/docker/credentials.h"
#include "core/stack/plan.h"

namespace devstack {
namespace {

using namespace std::chrono_literals;
/// A project that comes up again waits this long for its own end.
constexpr auto gone_limit = 60s;

/// What of the file's settings of components is not in use, and why.
std::string component_line(const stack::StackFile& components, const stack::StackFile& file) {
  if (components.project == file.project) return describe_changes({}, components, file);
  const auto unused = unused_settings(components, file);
  if (unused.empty()) return {};
  return fmt::format("components run as {} has them ({}); not used of {}: {}", components.project, components.path,
                     file.project, unused);
}

dns::RecordTexts records_of(const stack::StackFile& file) {
  dns::RecordTexts out;
  for (const auto& [name, target] : file.dns.records) out[name] = {target};
  return out;
}

}  // namespace

AppProjects::AppProjects(ProjectsInput input)
    : input_(std::move(input)),
      paths_(input_.state_dir),
      projects_(input_.loop, [this](const std::string& project, std::function<void()> on_change) {
        return make(project, std::move(on_change));
      }) {
  projects_.on_down = [this](std::string project) { return end_project(std::move(project)); };
}

std::unique_ptr<supervisor::Supervisor> AppProjects::make(const std::string& project, std::function<void()> on_change) {
  const auto at = loaded_.find(project);
  const bool known = at != loaded_.end();
  auto options = supervisor_options(known ? at->second.file : input_.components, input_.state_dir);
  options.project = project.empty() ? ".components" : project;
  options.on_change = std::move(on_change);
  if (known) {
    options.docker_config = docker::docker_config_folder(at->second.load.environment);
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

const stack::Plan& AppProjects::running(const std::string& project) const {
  static const stack::Plan nothing;
  const auto* known = projects_.find(project);
  return known == nullptr ? nothing : known->plan();
}

Result<stack::Plan> AppProjects::plan_of(stack::StackFile& file, const UpChoice& choice) const {
  const auto engine = input_.engine.state().up ? stack::EngineAvailable::yes : stack::EngineAvailable::no;
  return chosen_plan(running(file.project), file, choice, engine);
}

/// The units that do not run and that an `up` starts.
std::set<std::string> AppProjects::idle_units(const std::string& project) const {
  using supervisor::UnitState;
  std::set<std::string> idle;
  const auto* known = projects_.find(project);
  if (known == nullptr) return idle;
  for (const auto& unit : known->status().services) {
    const bool down = unit.state == UnitState::stopped || unit.state == UnitState::pending;
    const bool ended = unit.state == UnitState::completed && unit.type == supervisor::UnitType::container;
    if (down || ended || unit.state == UnitState::failed) idle.insert(unit.name);
  }
  return idle;
}

Result<AppProjects::Loaded> AppProjects::read(const std::string& request) const {
  Loaded wanted;
  if (!request.empty() && names_files(request)) {
    TRY(wanted.load, parse_apply_request(request));
  } else {
    const auto names = projects_.names();
    auto project = requested_project(request);
    if (project.empty() && !names.empty()) project = names.front();
    const auto known = loaded_.find(project);
    if (known == loaded_.end()) return fail(Errc::not_found, "no project \"{}\" is up here", project);
    wanted.load = known->second.load;
    wanted.choice = known->second.choice;
  }
  if (!request.empty()) {
    TRY(wanted.choice, parse_up_choice(request));
  }
  TRY(wanted.file, stack::load(wanted.load));
  return wanted;
}

Result<std::string> AppProjects::plan(const std::string& request) const {
  TRY(auto wanted, read(request));
  const auto project = wanted.file.project;
  TRY(const auto plan, plan_of(wanted.file, wanted.choice));
  const auto changes = unit_changes(running(project), plan, wanted.choice.how, idle_units(project));
  return changes_json(project, projects_.find(project) != nullptr, changes);
}

std::vector<std::pair<stack::LoadOptions, stack::StackFile>> AppProjects::followed() const {
  std::vector<std::pair<stack::LoadOptions, stack::StackFile>> out;
  for (const auto& [name, project] : loaded_) {
    if (project.choice.watch) out.emplace_back(project.load, project.file);
  }
  return out;
}

asio::awaitable<void> AppProjects::drain(std::string project, std::string unit, std::string container) {
  const auto at = logs_.find(project);
  if (at != logs_.end()) co_await at->second->drain(std::move(unit), std::move(container));
}

asio::awaitable<void> AppProjects::end_project(std::string project) {
  if (auto* dns = input_.dns()) dns->set_records(project, {});
  co_await input_.templates().remove(project);
  co_await end_logs(std::move(project));
}

/// A project's templates see the folder and the variables of its own `up`, and the appliance's registry.
templates::TemplaterOptions AppProjects::templates_of(const stack::StackFile& file,
                                                      const stack::LoadOptions& load) const {
  templates::TemplaterOptions options;
  for (const auto& entry : file.templates) {
    options.entries.push_back(
        {entry.source, entry.contents, entry.destination, entry.command, entry.check, entry.perms});
  }
  options.environment = load.environment;
  options.working_dir = file.project_dir;
  options.node = input_.registry.identity().node;
  options.datacenter = input_.components.registry.datacenter;
  return options;
}

asio::awaitable<void> AppProjects::end_logs(std::string project) {
  auto entry = logs_.extract(project);
  if (entry) co_await entry.mapped()->stop();
  std::error_code ignored;
  if (forget_logs_.erase(project) > 0) std::filesystem::remove_all(paths_.logs(project), ignored);
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

asio::awaitable<Result<std::string>> AppProjects::apply(stack::LoadOptions load, UpChoice choice,
                                                        stack::StackFile file) {
  if (!projects_.status().stopping) co_await wait_gone(file.project);
  if (projects_.status().stopping) co_return fail(Errc::unavailable, "devstack is stopping: try again");
  CO_TRY(auto plan, plan_of(file, choice));
  const std::string project = file.project;
  auto rendering = templates_of(file, load);
  CO_CHECK(input_.templates().fits(project, rendering.entries));
  auto* dns = input_.dns();
  const auto records = records_of(file);
  if (dns != nullptr) CO_CHECK(dns->fits(project, records));
  if (projects_.find(project) == nullptr) CO_CHECK(co_await seed_keys(input_.registry, file.registry.kv));
  CO_CHECK(save_load(paths_, project, load));
  if (dns != nullptr) dns->set_records(project, records);
  co_await input_.templates().set(project, std::move(rendering));  // before the services that may read the files
  auto said = changes_words(unit_changes(running(project), plan, choice.how, idle_units(project)));
  append_part(said, component_line(input_.components, file), "\n");
  const auto how = choice.how;
  const auto before = loaded_.find(project);
  const bool watch = choice.watch || (before != loaded_.end() && before->second.choice.watch);
  choice = lasting_choice(before == loaded_.end() ? choice : before->second.choice, choice);
  choice.watch = watch;
  loaded_[project] = Loaded{std::move(load), std::move(choice), std::move(file)};
  auto& supervisor = projects_.project(project);
  auto& logs = logs_[project];
  if (!logs) logs = std::make_unique<LogKeeping>(input_.loop, paths_.logs(project), input_.engine, supervisor);
  supervisor.apply(std::move(plan), how);
  co_return said;
}

asio::awaitable<Result<std::string>> AppProjects::reload() {
  std::string said;
  const auto names = projects_.names();
  for (const auto& name : names) {
    const auto at = loaded_.find(name);
    if (at == loaded_.end()) continue;
    auto load = at->second.load;
    auto lasting = at->second.choice;
    auto file = stack::load(load);
    Result<std::string> changes = std::string();
    if (!file) changes = tl::unexpected(file.error());
    if (file) changes = co_await apply(std::move(load), std::move(lasting), std::move(*file));
    if (!changes && names.size() == 1) co_return changes;
    // One file that cannot be read keeps no other project from its changes.
    if (!changes) log::error("core", "{}: not read again: {}", name, changes.error().to_string());
    if (changes) append_part(said, *changes, "\n");
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
    if (file && file->project == record.project) {
      UpChoice everything;
      applied = co_await apply(record.load, std::move(everything), std::move(*file));
    }
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

asio::awaitable<Result<void>> AppProjects::down(std::string project, supervisor::DownOptions options) {
  if (options.volumes) forget_logs_.insert(project);
  std::string name = project;
  const auto outcome = co_await projects_.down(std::move(name), options);
  if (projects_.find(project) == nullptr) loaded_.erase(project);
  if (outcome) forget_load(paths_, project);
  co_return outcome;
}

asio::awaitable<Result<void>> AppProjects::down_all(supervisor::DownOptions options) {
  const auto names = projects_.names();
  if (options.volumes) forget_logs_.insert(names.begin(), names.end());
  const auto outcome = co_await projects_.down_all(options);
  if (outcome) {
    for (const auto& name : names) forget_load(paths_, name);
  }
  co_return outcome;
}

}  // namespace devstack
