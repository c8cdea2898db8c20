#include "core/control/log_units.h"

#include <algorithm>

#include "core/base/suggest.h"

namespace devstack::control {
namespace {

/// "web-2" is an instance of "web".
bool is_instance(const std::string& unit, const std::string& service) {
  if (unit == service) return true;
  if (!unit.starts_with(service + "-")) return false;
  const auto number = unit.substr(service.size() + 1);
  return !number.empty() && number.find_first_not_of("0123456789") == std::string::npos;
}

void add(std::vector<std::string>& to, const std::string& name) {
  if (std::find(to.begin(), to.end(), name) == to.end()) to.push_back(name);
}

void add_all(const supervisor::Status& status, const std::vector<std::string>& kept, LogUnits& out) {
  for (const auto& unit : status.services) add(out.units, unit.name);
  for (const auto& name : kept) {
    const bool ours = std::any_of(status.services.begin(), status.services.end(),
                                  [&](const auto& unit) { return is_instance(name, unit.service); });
    if (ours || status.services.empty()) add(out.units, name);
  }
}

bool add_named(const supervisor::Status& status, const std::vector<std::string>& kept, const std::string& name,
               LogUnits& out) {
  bool found = false;
  for (const auto& unit : status.services) {
    if (unit.name != name && unit.service != name) continue;
    add(out.units, unit.name);
    found = true;
  }
  for (const auto& unit : kept) {
    if (!is_instance(unit, name)) continue;
    add(out.units, unit);
    found = true;
  }
  if (found) return true;
  for (const auto& unit : status.components) found = found || unit.name == name;
  if (!found && name != "devstack") return false;
  add(out.components, name == "devstack" ? "" : name);
  return true;
}

Error unknown_name(const supervisor::Status& status, const std::vector<std::string>& kept, const std::string& name) {
  std::vector<std::string> known;
  for (const auto& unit : status.services) add(known, unit.service);
  for (const auto& unit : kept) add(known, unit);
  for (const auto& unit : status.components) add(known, unit.name);
  add(known, "devstack");
  const std::vector<std::string_view> names(known.begin(), known.end());
  const auto near = nearest(name, names);
  return Error{Errc::not_found, near ? fmt::format("no service \"{}\": did you mean \"{}\"?", name, *near)
                                     : fmt::format("no service \"{}\": there are {}", name, fmt::join(known, ", "))};
}

}  // namespace

Result<LogUnits> log_units(const supervisor::Status& status, const std::vector<std::string>& kept,
                           const std::vector<std::string>& names) {
  LogUnits out;
  if (names.empty()) add_all(status, kept, out);
  for (const auto& name : names) {
    if (!add_named(status, kept, name, out)) return tl::unexpected<Error>(unknown_name(status, kept, name));
  }
  return out;
}

}  // namespace devstack::control
