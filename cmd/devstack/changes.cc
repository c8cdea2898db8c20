#include "cmd/devstack/changes.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "cmd/devstack/terminal.h"

namespace devstack {
namespace {

namespace json = boost::json;
using stack::PlannedUnit;

constexpr std::array kActions{Action::unchanged, Action::create, Action::recreate, Action::start, Action::remove};

std::string what_of(const PlannedUnit& unit) {
  if (unit.kind == stack::UnitKind::process) return "process";
  return unit.spec.image.empty() ? "container, built" : "container of " + unit.spec.image;
}

const PlannedUnit* find(const stack::Plan& plan, const std::string& name) {
  const auto at =
      std::find_if(plan.units.begin(), plan.units.end(), [&](const auto& unit) { return unit.name == name; });
  return at == plan.units.end() ? nullptr : &*at;
}

bool is_asked_for(const PlannedUnit& unit, const supervisor::ApplyOptions& how) {
  return how.services.empty() ||
         std::find(how.services.begin(), how.services.end(), unit.service) != how.services.end();
}

UnitChange change_of(const PlannedUnit* now, const PlannedUnit& unit, const supervisor::ApplyOptions& how,
                     const std::set<std::string>& idle) {
  UnitChange change{unit.name, what_of(unit), Action::unchanged, {}, {}};
  const bool container = unit.kind == stack::UnitKind::container;
  if (now == nullptr) {
    change.action = Action::create;
  } else if (now->config_hash != unit.config_hash && !(how.no_recreate && container)) {
    change.action = Action::recreate;
    change.changes = stack::explain(*now, unit);
    if (change.changes.empty()) change.reason = "what it is made from changed outside its own keys";
  } else if (how.force_recreate && container && is_asked_for(unit, how)) {
    change.action = Action::recreate;
    change.reason = "--force-recreate";
  } else if (idle.contains(unit.name)) {
    change.action = Action::start;
    change.reason = "it does not run";
  } else if (now->config_hash != unit.config_hash) {
    change.reason = "changed, but --no-recreate";
  }
  return change;
}

json::value text_or_null(const std::optional<std::string>& text) {
  return text ? json::value(json::string(*text)) : json::value(nullptr);
}

json::object to_object(const UnitChange& change) {
  json::array keys;
  for (const auto& key : change.changes) {
    keys.push_back(json::object{{"key", key.key}, {"was", text_or_null(key.was)}, {"is", text_or_null(key.is)}});
  }
  return {{"name", change.unit},
          {"action", json::string_view(to_string(change.action).data(), to_string(change.action).size())},
          {"what", change.what},
          {"reason", change.reason},
          {"changes", std::move(keys)}};
}

std::optional<std::string> optional_text(const json::value& value) {
  if (value.is_null()) return std::nullopt;
  return std::string(value.as_string());
}

UnitChange from_object(const json::object& fields) {
  UnitChange change;
  change.unit = std::string(fields.at("name").as_string());
  change.what = std::string(fields.at("what").as_string());
  change.reason = std::string(fields.at("reason").as_string());
  const std::string action(fields.at("action").as_string());
  for (const auto known : kActions) {
    if (to_string(known) == action) change.action = known;
  }
  for (const auto& key : fields.at("changes").as_array()) {
    const auto& row = key.as_object();
    change.changes.push_back(
        {std::string(row.at("key").as_string()), optional_text(row.at("was")), optional_text(row.at("is"))});
  }
  return change;
}

std::string coloured(Action action, std::string_view text) {
  switch (action) {
    case Action::create:
    case Action::start:
      return terminal::good(text);
    case Action::recreate:
      return terminal::warn(text);
    case Action::remove:
      return terminal::bad(text);
    case Action::unchanged:
      break;
  }
  return terminal::dim(text);
}

std::string key_line(const stack::KeyChange& key) {
  if (!key.was) return fmt::format("      {} {}: {}\n", terminal::good("+"), key.key, terminal::printable(*key.is));
  if (!key.is) return fmt::format("      {} {}: {}\n", terminal::bad("-"), key.key, terminal::printable(*key.was));
  const bool hidden = *key.was == *key.is;
  return fmt::format("      {} {}: {} -> {}{}\n", terminal::warn("~"), key.key, terminal::printable(*key.was),
                     terminal::printable(*key.is), hidden ? " (another value)" : "");
}

std::string count_line(const std::vector<UnitChange>& units) {
  std::string out;
  for (const auto action : {Action::create, Action::recreate, Action::start, Action::remove, Action::unchanged}) {
    const auto count =
        std::count_if(units.begin(), units.end(), [&](const auto& unit) { return unit.action == action; });
    if (count == 0) continue;
    const auto verb = action == Action::unchanged ? "unchanged" : fmt::format("to {}", to_string(action));
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, verb);
  }
  return out.empty() ? "nothing to do" : out;
}

}  // namespace

std::string_view to_string(Action action) {
  switch (action) {
    case Action::unchanged:
      return "unchanged";
    case Action::create:
      return "create";
    case Action::recreate:
      return "recreate";
    case Action::start:
      return "start";
    case Action::remove:
      return "remove";
  }
  return "";
}

std::vector<UnitChange> unit_changes(const stack::Plan& running, const stack::Plan& wanted,
                                     const supervisor::ApplyOptions& how, const std::set<std::string>& idle) {
  std::vector<UnitChange> out;
  for (const auto& unit : wanted.units) out.push_back(change_of(find(running, unit.name), unit, how, idle));
  for (auto unit = running.units.rbegin(); unit != running.units.rend(); ++unit) {
    if (find(wanted, unit->name) != nullptr) continue;
    out.push_back({unit->name, what_of(*unit), Action::remove, "it is not in the stack any more", {}});
  }
  return out;
}

std::string changes_json(const std::string& project, bool running, const std::vector<UnitChange>& changes) {
  json::array units;
  for (const auto& change : changes) units.push_back(to_object(change));
  return json::serialize(json::object{{"project", project}, {"running", running}, {"units", std::move(units)}});
}

Result<Changes> changes_from_json(std::string_view text) {
  Changes out;
  try {
    const auto document = json::parse(json::string_view(text.data(), text.size()));
    const auto& fields = document.as_object();
    out.project = std::string(fields.at("project").as_string());
    out.running = fields.at("running").as_bool();
    for (const auto& unit : fields.at("units").as_array()) out.units.push_back(from_object(unit.as_object()));
  } catch (const std::exception& wrong) {
    return fail(Errc::parse, "the supervisor's plan is not understood: {}", wrong.what());
  }
  return out;
}

std::string changes_text(const Changes& changes, Explained explained) {
  std::size_t width = 0;
  for (const auto& unit : changes.units) width = std::max(width, unit.unit.size());
  std::string out = fmt::format("{}{}, in the order of start:\n", terminal::bold(changes.project),
                                changes.running ? "" : " (not up)");
  for (const auto& unit : changes.units) {
    out += fmt::format("  {}  {:<{}}  {}\n", coloured(unit.action, fmt::format("{:<9}", to_string(unit.action))),
                       unit.unit, width, terminal::dim(unit.what));
    if (explained == Explained::no) continue;
    if (!unit.reason.empty()) out += "      " + unit.reason + "\n";
    for (const auto& key : unit.changes) out += key_line(key);
  }
  return out + count_line(changes.units) + "\n";
}

std::string changes_words(const std::vector<UnitChange>& changes) {
  std::string out;
  for (const auto& change : changes) {
    if (change.action == Action::unchanged) continue;
    out += fmt::format("{}{} {}", out.empty() ? "" : "\n", to_string(change.action), change.unit);
  }
  return out;
}

}  // namespace devstack
