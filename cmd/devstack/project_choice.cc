#include "cmd/devstack/project_choice.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmd/devstack/paths.h"

namespace devstack {

std::string named_project(const Globals& globals) {
  if (!globals.project.empty()) return globals.project;
  const auto file = stack::load(load_options(globals));
  return file ? file->project : std::string();
}

Result<std::string> choose_project(const std::vector<std::string>& up, const std::string& named) {
  if (std::find(up.begin(), up.end(), named) != up.end()) return named;
  const std::string list = fmt::format("{}", fmt::join(up, ", "));
  if (!named.empty()) return fail(Errc::not_found, "{} is not up here; up is: {}", named, list.empty() ? "none" : list);
  if (up.size() == 1) return up.front();
  if (up.empty()) return fail(Errc::not_found, "no project is up here");
  return fail(Errc::conflict, "several projects are up here: {}; say which with -p NAME, or --all", list);
}

std::vector<std::string> project_names(const supervisor::Status& status) {
  std::vector<std::string> names;
  for (const auto& project : status.projects) names.push_back(project.name);
  return names;
}

std::string unit_in(const supervisor::Status& status, const std::string& project, const std::string& name) {
  if (status.projects.size() < 2 || name.find('/') != std::string::npos) return name;
  const bool its_own = std::any_of(status.services.begin(), status.services.end(), [&](const auto& unit) {
    return unit.project == project && (unit.service == name || unit.name == project + "/" + name);
  });
  return its_own ? project + "/" + name : name;
}

ProjectClient::ProjectClient(std::string project) : client_(state_dir()), project_(std::move(project)) {}

asio::awaitable<Result<supervisor::Status>> ProjectClient::status() const {
  CO_TRY(auto all, co_await client_.status());
  co_return supervisor::of_project(std::move(all), project_);
}

asio::awaitable<Result<void>> ProjectClient::carry_out(control::UnitOrder order) const {
  CO_TRY(const auto all, co_await client_.status());
  order.name = unit_in(all, project_, order.name);
  co_return co_await client_.carry_out(std::move(order));
}

}  // namespace devstack
