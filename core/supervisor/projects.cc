#include "core/supervisor/projects.h"

#include <algorithm>

namespace devstack::supervisor {
namespace {

bool has_unit(const std::vector<UnitStatus>& units, const std::string& name) {
  return std::any_of(units.begin(), units.end(),
                     [&](const UnitStatus& unit) { return unit.name == name || unit.service == name; });
}

void add(std::string& list, const std::string& word, std::string_view between = ", ") {
  if (!list.empty()) list += between;
  list += word;
}

ProjectStatus project_status(const std::string& name, const Supervisor& supervisor, const Status& status) {
  ProjectStatus out;
  out.name = name;
  out.files = supervisor.plan().files;
  if (out.files.empty() && !status.stack_file.empty()) out.files = {status.stack_file};
  out.healthy = status.healthy;
  out.services = static_cast<int>(status.services.size());
  return out;
}

}  // namespace

Projects::Projects(asio::any_io_executor loop, Make make)
    : make_(std::move(make)), changed_(std::make_shared<Signal>(std::move(loop))) {
  components_ = make_("", [changed = changed_] { changed->bump(); });
}

Projects::~Projects() = default;

Supervisor& Projects::project(const std::string& name) {
  if (auto* known = find(name)) return *known;
  projects_.push_back({name, make_(name, [changed = changed_] { changed->bump(); })});
  changed_->bump();
  return *projects_.back().supervisor;
}

Supervisor* Projects::find(const std::string& name) const {
  const auto at = std::find_if(projects_.begin(), projects_.end(), [&](const auto& p) { return p.name == name; });
  return at == projects_.end() ? nullptr : at->supervisor.get();
}

std::vector<std::string> Projects::names() const {
  std::vector<std::string> out;
  for (const auto& project : projects_) out.push_back(project.name);
  return out;
}

Status Projects::status() const {
  Status all = components_->status();
  for (const auto& [name, supervisor] : projects_) {
    const Status one = supervisor->status();
    if (all.projects.empty()) {
      all.project = name;
      all.stack_file = one.stack_file;
    }
    all.projects.push_back(project_status(name, *supervisor, one));
    all.healthy = all.healthy && one.healthy;
    all.converging = all.converging || one.converging;
    for (auto unit : one.services) {
      if (several()) unit.name = name + "/" + unit.name;
      all.services.push_back(std::move(unit));
    }
  }
  all.stopping = all.stopping || stopping_;
  all.healthy = all.healthy && !all.stopping;
  return all;
}

Result<Projects::Target> Projects::resolve(const std::string& name) const {
  const auto slash = name.find('/');
  std::vector<Target> found;
  std::string owners, known;
  for (const auto& [project, supervisor] : projects_) {
    if (slash != std::string::npos && name.substr(0, slash) == project) {
      return Target{supervisor, name.substr(slash + 1)};
    }
    const auto units = supervisor->status().services;
    for (const auto& unit : units) add(known, several() ? project + "/" + unit.name : unit.name);
    if (!has_unit(units, name)) continue;
    found.push_back({supervisor, name});
    add(owners, project + "/" + name, " or ");
  }
  if (found.size() > 1) return fail(Errc::conflict, "several projects have a service \"{}\": say {}", name, owners);
  if (!found.empty()) return found.front();
  const auto components = components_->status().components;
  if (has_unit(components, name)) return Target{components_, name};
  for (const auto& component : components) add(known, component.name);
  return fail(Errc::not_found, "no service \"{}\" in this stack; there are: {}", name, known);
}

asio::awaitable<Result<void>> Projects::stop_unit(std::string name, std::optional<std::chrono::seconds> grace) {
  CO_TRY(const auto target, resolve(name));
  co_return co_await target.supervisor->stop_unit(target.unit, grace);
}

asio::awaitable<Result<void>> Projects::start_unit(std::string name) {
  CO_TRY(const auto target, resolve(name));
  co_return co_await target.supervisor->start_unit(target.unit);
}

asio::awaitable<Result<void>> Projects::restart_unit(std::string name, std::optional<std::chrono::seconds> grace,
                                                     Restart which) {
  std::vector<Target> targets;  // one a supervisor
  for (std::size_t from = 0; from <= name.size();) {
    const auto end = std::min(name.find(',', from), name.size());
    CO_TRY(auto one, resolve(name.substr(from, end - from)));
    const auto same = std::find_if(targets.begin(), targets.end(),
                                   [&](const Target& known) { return known.supervisor == one.supervisor; });
    if (same != targets.end()) {
      same->unit += "," + one.unit;
    } else {
      targets.push_back(std::move(one));
    }
    from = end + 1;
  }
  for (const auto& target : targets) CO_CHECK(co_await target.supervisor->restart_unit(target.unit, grace, which));
  co_return Result<void>();
}

asio::awaitable<Result<void>> Projects::pause_unit(std::string name) {
  CO_TRY(const auto target, resolve(name));
  co_return co_await target.supervisor->pause_unit(target.unit);
}

asio::awaitable<Result<void>> Projects::resume_unit(std::string name) {
  CO_TRY(const auto target, resolve(name));
  co_return co_await target.supervisor->resume_unit(target.unit);
}

asio::awaitable<Result<void>> Projects::signal_unit(std::string name, std::string signal) {
  CO_TRY(const auto target, resolve(name));
  co_return co_await target.supervisor->signal_unit(target.unit, std::move(signal));
}

asio::awaitable<Result<void>> Projects::remove_unit(std::string name, bool volumes) {
  CO_TRY(const auto target, resolve(name));
  co_return co_await target.supervisor->remove_unit(target.unit, volumes);
}

std::string Projects::log_file(const std::string& unit) const {
  const auto target = resolve(unit);
  return target ? target->supervisor->log_file(target->unit) : std::string();
}

Error Projects::not_up(const std::string& project) const {
  std::string known;
  for (const auto& one : projects_) add(known, one.name);
  return Error{Errc::not_found, fmt::format("no project \"{}\" is up here; up are: {}", project, known)};
}

Result<Startup> Projects::startup(const std::string& project) const {
  if (project.empty() && !projects_.empty()) return projects_.front().supervisor->startup();
  if (const auto* known = find(project)) return known->startup();
  return tl::unexpected<Error>(not_up(project));
}

asio::awaitable<Result<void>> Projects::down(std::string project, DownOptions options) {
  const auto at = std::find_if(projects_.begin(), projects_.end(), [&](const auto& p) { return p.name == project; });
  if (at == projects_.end()) co_return tl::unexpected<Error>(not_up(project));
  const auto supervisor = at->supervisor;
  const auto outcome = co_await supervisor->down(options);
  if (on_down) co_await on_down(project);
  // By now somebody else may have changed the list.
  std::erase_if(projects_, [&](const Project& other) { return other.supervisor == supervisor; });
  changed_->bump();
  co_return outcome;
}

asio::awaitable<Result<void>> Projects::down_all(DownOptions options) {
  std::string left;
  stopping_ = true;
  const auto all = projects_;
  for (auto project = all.rbegin(); project != all.rend(); ++project) {
    const auto outcome = co_await project->supervisor->down(options);
    if (!outcome) add(left, outcome.error().message, "; ");
  }
  const auto outcome = co_await components_->down(options);
  if (!outcome) add(left, outcome.error().message, "; ");
  if (!left.empty()) co_return fail(Errc::failed, "{}", left);
  co_return Result<void>();
}

asio::awaitable<void> Projects::detach() {
  const auto all = projects_;
  for (const auto& project : all) co_await project.supervisor->detach();
  co_await components_->detach();
}

}  // namespace devstack::supervisor
