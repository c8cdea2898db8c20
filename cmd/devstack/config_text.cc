#include "cmd/devstack/config_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>
#include <utility>

#include "core/stack/config.h"
#include "core/stack/images.h"
#include "core/stack/json_schema.h"
#include "core/stack/plan.h"

namespace devstack {
namespace {

namespace json = boost::json;
using Ask = ConfigOptions::Ask;
using Names = std::set<std::string>;

std::string lines(const Names& names) {
  std::string out;
  for (const auto& name : names) out += name + "\n";
  return out;
}

template <class Map>
Names keys(const Map& map) {
  Names names;
  for (const auto& [name, value] : map) names.insert(name);
  return names;
}

/// The services asked for and all that they depend on; every one where none is asked for.
void narrow(stack::StackFile& file, const stack::Texts& targets) {
  if (targets.empty()) return;
  Names wanted;
  stack::Texts open = targets;
  while (!open.empty()) {
    const auto name = std::move(open.back());
    open.pop_back();
    const auto service = file.services.find(name);
    if (service == file.services.end() || !wanted.insert(name).second) continue;
    for (const auto& dependency : service->second.depends_on) open.push_back(dependency.service);
  }
  std::erase_if(file.services, [&](const auto& entry) { return !wanted.contains(entry.first); });
}

Names images(const stack::StackFile& file) {
  Names names;
  for (const auto& [name, service] : file.services) {
    if (!service.containerised()) continue;
    for (const auto& one : stack::by_image(service)) names.insert(stack::image_name(one, file.project));
  }
  return names;
}

Names profiles(const stack::StackFile& file) {
  Names names;
  for (const auto* services : {&file.services, &file.inactive}) {
    for (const auto& [name, service] : *services) names.insert(service.profiles.begin(), service.profiles.end());
  }
  return names;
}

Result<std::string> hashes(stack::StackFile file, const std::string& asked) {
  Names wanted;
  for (std::size_t from = 0; from <= asked.size();) {
    const auto comma = std::min(asked.find(',', from), asked.size());
    if (comma > from) wanted.insert(asked.substr(from, comma - from));
    from = comma + 1;
  }
  const bool all = wanted.contains("*");
  for (const auto& name : wanted) {
    if (!all && !file.services.contains(name)) return fail(Errc::not_found, "no service \"{}\"", name);
  }
  for (auto& [name, service] : file.services) service.scale = 1;  // one with no instances has a hash too
  TRY(const auto plan, stack::make_plan(file, stack::EngineAvailable::yes));
  Names out;
  for (const auto& unit : plan.units) {
    if (all || wanted.contains(unit.service)) out.insert(unit.service + " " + unit.config_hash);
  }
  return lines(out);
}

std::string environment_lines(const stack::Environment& values) {
  std::string out;
  for (const auto& [name, value] : values) out += fmt::format("{}={}\n", name, value);
  return out;
}

std::string in_quotes(std::string_view text) { return json::serialize(json::string(text)); }

std::string explained(const std::string& name, const stack::Explanation& found) {
  std::string out;
  if (found.sources.empty()) {
    out = fmt::format("{} is not set: each place has its own default, or nothing\n", name);
  } else {
    out = fmt::format("{} is {}, from {}\n", name, in_quotes(found.sources[0].value), found.sources[0].where);
  }
  for (std::size_t i = 1; i < found.sources.size(); ++i) {
    out += fmt::format("  hidden by that: {}, from {}\n", in_quotes(found.sources[i].value), found.sources[i].where);
  }
  if (found.uses.empty()) out += "no file uses it\n";
  for (const auto& use : found.uses) {
    out += fmt::format("  {}  {}: {} -> {}\n", use.where, use.path, in_quotes(use.written), in_quotes(use.result));
  }
  return out;
}

std::string explained_json(const std::string& name, const stack::Explanation& found) {
  json::array sources, uses;
  for (const auto& one : found.sources) sources.push_back({{"value", one.value}, {"where", one.where}});
  for (const auto& use : found.uses) {
    uses.push_back({{"where", use.where}, {"path", use.path}, {"written", use.written}, {"result", use.result}});
  }
  json::object all{{"variable", name}, {"sources", std::move(sources)}, {"uses", std::move(uses)}};
  return json::serialize(all) + "\n";
}

/// What is answered without the typed stack, which may be wrong.
Result<std::string> from_files(const stack::LoadOptions& load, const ConfigOptions& options) {
  const auto form = options.json ? stack::Form::json : stack::Form::yaml;
  switch (options.ask) {
    case Ask::environment: {
      TRY(const auto values, stack::interpolation_environment(load));
      return environment_lines(values);
    }
    case Ask::explain: {
      TRY(const auto found, stack::explain_variable(load, options.variable));
      return options.json ? explained_json(options.variable, found) : explained(options.variable, found);
    }
    case Ask::merged:
      return stack::merged_text(load, form);
    case Ask::schema:
      return stack::json_schema();
    default:
      return stack::converted_text(load, form);
  }
}

Result<std::string> from_stack(const stack::StackFile& file, const ConfigOptions& options) {
  switch (options.ask) {
    case Ask::services:
      return lines(keys(file.services));
    case Ask::volumes:
      return lines(keys(file.volumes));
    case Ask::networks:
      return lines(keys(file.networks));
    case Ask::images:
      return lines(images(file));
    case Ask::profiles:
      return lines(profiles(file));
    case Ask::hash:
      return hashes(file, options.hash_of);
    default:
      return options.json ? stack::to_json(file) : stack::to_yaml(file);
  }
}

}  // namespace

Result<ConfigText> config_text(const stack::LoadOptions& load, const ConfigOptions& options) {
  if (options.ask >= Ask::environment) {
    TRY(auto text, from_files(load, options));
    return ConfigText{std::move(text), {}};
  }
  TRY(auto file, stack::load(load));
  narrow(file, load.targets);
  TRY(auto text, from_stack(file, options));
  return ConfigText{std::move(text), std::move(file.warnings)};
}

}  // namespace devstack
