#include "cmd/devstack/project_choice.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmd/devstack/paths.h"
#include "cmd/devstack/service_units.h"
#include "core/base/append.h"

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
  return fail(Errc::conflict, "several projects are up here: {}; say which with -p NAME", list);
}

std::vector<std::string> project_names(const supervisor::Status& status) {
  std::vector<std::string> names;
  for (const auto& project : status.projects) names.push_back(project.name);
  return names;
}

namespace {

/// What a word means: a service or unit, and of which project.
struct Meant {
  std::string project, name;
  std::string prefix;  ///< "PROJECT/" where the word says it
};

Result<Meant> meaning(const supervisor::Status& all, const std::string& project, const std::string& word) {
  const auto slash = word.find('/');
  for (const auto& up : all.projects) {
    if (slash == std::string::npos || word.substr(0, slash) != up.name) continue;
    return Meant{up.name, word.substr(slash + 1), up.name + "/"};
  }
  TRY(const auto chosen, choose_project(project_names(all), project));
  return Meant{chosen, word, ""};
}

bool is_component(const supervisor::Status& all, const std::string& name) {
  return std::any_of(all.components.begin(), all.components.end(), [&](const auto& unit) { return unit.name == name; });
}

}  // namespace

Result<std::string> unit_in(const supervisor::Status& all, const std::string& project, const std::string& word) {
  TRY(const auto meant, meaning(all, project, word));
  TRY([[maybe_unused]] const auto known, chosen_unit(all, project, word));
  return all.projects.size() < 2 ? meant.name : meant.project + "/" + meant.name;
}

Result<supervisor::UnitStatus> chosen_unit(const supervisor::Status& all, const std::string& project,
                                           const std::string& word, int index) {
  TRY(const auto meant, meaning(all, project, word));
  TRY(auto unit, unit_of_service(supervisor::of_project(all, meant.project), meant.name, index));
  unit.name.insert(0, meant.prefix);
  return unit;
}

Result<std::vector<supervisor::UnitStatus>> chosen_units(const supervisor::Status& all, const std::string& project,
                                                         const std::vector<std::string>& words) {
  if (words.empty()) {
    TRY(const auto chosen, choose_project(project_names(all), project));
    return supervisor::of_project(all, chosen).services;
  }
  std::vector<Meant> meanings;
  for (const auto& word : words) {
    CHECK(chosen_unit(all, project, word));
    TRY(auto meant, meaning(all, project, word));
    meanings.push_back(std::move(meant));
  }
  std::vector<supervisor::UnitStatus> out;
  for (auto unit : all.services) {
    if (unit.name.starts_with(unit.project + "/")) unit.name.erase(0, unit.project.size() + 1);
    const auto meant = std::find_if(meanings.begin(), meanings.end(), [&](const Meant& one) {
      return one.project == unit.project && (one.name == unit.service || one.name == unit.name);
    });
    if (meant == meanings.end()) continue;
    unit.name.insert(0, meant->prefix);
    out.push_back(std::move(unit));
  }
  return out;
}

namespace {

/// As the supervisor knows them: services, units or components, one or several with commas.
Result<std::string> known_units(const supervisor::Status& all, const std::string& project, const std::string& words) {
  std::string names;
  for (std::size_t from = 0; from <= words.size();) {
    const auto end = std::min(words.find(',', from), words.size());
    const auto word = words.substr(from, end - from);
    const auto name = unit_in(all, project, word);
    if (!name && !is_component(all, word)) return tl::unexpected<Error>(name.error());
    append_part(names, name ? *name : word, ",");
    from = end + 1;
  }
  return names;
}

}  // namespace

ProjectClient::ProjectClient(std::string project) : client_(state_dir()), project_(std::move(project)) {}

asio::awaitable<Result<supervisor::Status>> ProjectClient::status() const {
  CO_TRY(auto all, co_await client_.status());
  CO_TRY(const auto chosen, choose_project(project_names(all), project_));
  co_return supervisor::of_project(std::move(all), chosen);
}

asio::awaitable<Result<supervisor::UnitStatus>> ProjectClient::unit(std::string word, int index) const {
  CO_TRY(const auto all, co_await client_.status());
  co_return chosen_unit(all, project_, word, index);
}

asio::awaitable<Result<supervisor::UnitStatus>> ProjectClient::container(std::string word, int index) const {
  CO_TRY(auto found, co_await unit(std::move(word), index));
  CO_CHECK(must_be_container(found));
  co_return found;
}

asio::awaitable<Result<std::vector<supervisor::UnitStatus>>> ProjectClient::units(
    std::vector<std::string> words) const {
  CO_TRY(const auto all, co_await client_.status());
  co_return chosen_units(all, project_, words);
}

asio::awaitable<Result<void>> ProjectClient::carry_out(control::UnitOrder order) const {
  CO_TRY(const auto all, co_await client_.status());
  CO_TRY(order.name, known_units(all, project_, order.name));
  co_return co_await client_.carry_out(std::move(order));
}

}  // namespace devstack
