#include "core/stack/explain.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <set>

#include "core/base/suggest.h"
#include "core/stack/describe.h"

namespace devstack::stack {
namespace {

namespace json = boost::json;

bool looks_secret(std::string_view key) {
  const auto dot = key.rfind('.');
  std::string name(dot == std::string_view::npos ? key : key.substr(dot + 1));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
  for (const auto* word : {"PASSWORD", "PASSWD", "PASSPHRASE", "TOKEN", "SECRET", "CREDENTIAL", "KEY"}) {
    if (name.find(word) != std::string::npos) return true;
  }
  return false;
}

std::optional<std::string> shown(std::string_view key, const json::value* value) {
  if (value == nullptr) return std::nullopt;
  // Only variables and arguments hold values of a user's own names.
  const bool named = key.starts_with("environment.") || key.starts_with("build.args.");
  if (named && looks_secret(key)) return "***";
  if (value->is_string()) return std::string(value->as_string());
  return json::serialize(*value);
}

void compare(const std::string& key, const json::value* was, const json::value* is, std::vector<KeyChange>& out);

void compare_objects(const std::string& prefix, const json::object& was, const json::object& is,
                     std::vector<KeyChange>& out) {
  std::set<std::string> keys;
  for (const auto* object : {&was, &is}) {
    for (const auto& [key, value] : *object) keys.emplace(key);
  }
  for (const auto& key : keys) compare(prefix + key, was.if_contains(key), is.if_contains(key), out);
}

void compare(const std::string& key, const json::value* was, const json::value* is, std::vector<KeyChange>& out) {
  if (was != nullptr && is != nullptr && *was == *is) return;
  const auto object = [](const json::value* value) { return value == nullptr || value->is_object(); };
  if (object(was) && object(is)) {
    const json::object none;
    return compare_objects(key + ".", was == nullptr ? none : was->as_object(), is == nullptr ? none : is->as_object(),
                           out);
  }
  out.push_back({key, shown(key, was), shown(key, is)});
}

std::string kind_name(UnitKind kind) { return kind == UnitKind::container ? "container" : "process"; }

const PlannedUnit* find(const Plan& plan, const std::string& name) {
  const auto at =
      std::find_if(plan.units.begin(), plan.units.end(), [&](const auto& unit) { return unit.name == name; });
  return at == plan.units.end() ? nullptr : &*at;
}

Error no_service(const std::string& name, const std::set<std::string>& known) {
  const std::vector<std::string_view> names(known.begin(), known.end());
  const auto near = nearest(name, names);
  return Error{Errc::not_found, near ? fmt::format("no service \"{}\": did you mean \"{}\"?", name, *near)
                                     : fmt::format("no service \"{}\": there are {}", name, fmt::join(names, ", "))};
}

Result<std::set<std::string>> selection(const Plan& running, const Plan& wanted, const Texts& services,
                                        Dependencies dependencies) {
  std::set<std::string> known;
  for (const auto& unit : wanted.units) known.insert(unit.service);
  for (const auto& unit : running.units) known.insert(unit.service);  // one that is scaled to nothing
  std::set<std::string> chosen;
  for (const auto& service : services) {
    if (!known.contains(service)) return tl::unexpected(no_service(service, known));
    chosen.insert(service);
  }
  if (dependencies == Dependencies::without) return chosen;
  // Dependencies stand before their dependents: one way back finds them all.
  for (auto unit = wanted.units.rbegin(); unit != wanted.units.rend(); ++unit) {
    if (!chosen.contains(unit->service)) continue;
    for (const auto& dependency : unit->spec.depends_on) {
      if (known.contains(dependency.service)) chosen.insert(dependency.service);
    }
  }
  return chosen;
}

}  // namespace

std::vector<KeyChange> explain(const PlannedUnit& was, const PlannedUnit& is) {
  std::vector<KeyChange> out;
  if (was.kind != is.kind) out.push_back({"runs as", kind_name(was.kind), kind_name(is.kind)});
  auto before = describe(was.spec);
  auto after = describe(is.spec);
  for (auto* content : {&before, &after}) {
    content->erase("scale");
    content->erase("depends_on");
  }
  compare_objects("", before, after, out);
  return out;
}

Result<Plan> narrow(const Plan& running, const Plan& wanted, const Texts& services, Dependencies dependencies) {
  if (services.empty()) return wanted;
  TRY(const auto chosen, selection(running, wanted, services, dependencies));
  Plan out = wanted;
  out.units.clear();
  // What the file does not have any more goes only when all is asked for.
  for (const auto& unit : running.units) {
    if (find(wanted, unit.name) == nullptr && !chosen.contains(unit.service)) out.units.push_back(unit);
  }
  for (const auto& unit : wanted.units) {
    const auto* now = find(running, unit.name);
    if (chosen.contains(unit.service)) {
      out.units.push_back(unit);
    } else if (now != nullptr) {
      out.units.push_back(*now);
    }
  }
  return out;
}

Result<std::pair<std::string, int>> parse_scale(std::string_view text) {
  const auto equals = text.find('=');
  const auto number = equals == std::string_view::npos ? std::string_view() : text.substr(equals + 1);
  int count = -1;
  const auto* end = number.data() + number.size();
  const bool read = !number.empty() && std::from_chars(number.data(), end, count).ptr == end;
  if (!read || equals == 0 || count < 0 || count > 1000) {
    return fail(Errc::usage, "\"{}\" does not say how many of a service: write SERVICE=NUMBER", text);
  }
  return std::pair(std::string(text.substr(0, equals)), count);
}

Result<void> set_scale(StackFile& file, const std::map<std::string, int>& scale) {
  std::set<std::string> known;
  for (const auto& [name, service] : file.services) known.insert(name);
  for (const auto& [name, count] : scale) {
    const auto service = file.services.find(name);
    if (service == file.services.end()) return tl::unexpected(no_service(name, known));
    if (count > 1 && !service->second.container_name.empty()) {
      return fail(Errc::conflict, "services.{} has a container_name: there can be only one \"{}\"", name,
                  service->second.container_name);
    }
    service->second.scale = count;
  }
  return {};
}

}  // namespace devstack::stack
