#include "core/supervisor/develop_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

namespace devstack::supervisor {
namespace {

/// What no tool that follows files should act on, as Compose has it: version control, and what editors write while they
/// save.
constexpr std::string_view kNobodysFiles =
    "**/.git\n**/.idea\n**/*___jb_old___\n**/*___jb_tmp___\n**/.#*\n**/4913\n**/*~\n"
    "**/.*.swp\n**/.*.swx\n**/.*.swo\n**/.*.swn\n";

std::string lines(const stack::Texts& patterns) {
  std::string text;
  for (const auto& pattern : patterns) text += pattern + "\n";
  return text;
}

/// `path` relative to `folder`; "" for the folder itself, nothing for what is not below it.
std::optional<std::string> below(const std::string& folder, const std::string& path) {
  if (path == folder) return std::string();
  const auto prefix = folder.ends_with('/') ? folder : folder + "/";
  if (!path.starts_with(prefix)) return std::nullopt;
  return path.substr(prefix.size());
}

std::string without_slash(std::string path) {
  path = std::filesystem::path(path).lexically_normal().string();
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

bool is_url(const std::string& context) { return !context.starts_with('/'); }

}  // namespace

bool DevelopRule::ignores(const std::string& path) const {
  const auto relative = below(trigger.path, path);
  if (relative && ignore.ignores(*relative)) return true;
  if (context.empty()) return false;
  const auto in_context = below(context, path);
  return in_context && !in_context->empty() && context_ignore.ignores(*in_context);
}

bool DevelopRule::concerns(const std::string& path) const {
  const auto relative = below(trigger.path, path);
  if (!relative) return false;
  if (!trigger.include.empty() && !include.ignores(*relative)) return false;
  return !ignores(path);
}

bool DevelopRule::looks_into(const std::string& path) const {
  if (below(path, trigger.path)) return true;
  if (!below(trigger.path, path)) return false;
  return ignore.has_exceptions() || context_ignore.has_exceptions() || !ignores(path);
}

std::string DevelopRule::place_of(const std::string& path) const {
  // As the engine unpacks it: from the root, also where the target is written without its '/'.
  const auto target = std::filesystem::path("/") / trigger.target;
  return without_slash((target / below(trigger.path, path).value_or("")).string());
}

std::string build_folder(const stack::ServiceSpec& service) {
  return service.build && !is_url(service.build->context) ? without_slash(service.build->context) : std::string();
}

bool bind_mounted(const std::string& path, const stack::ServiceSpec& service) {
  return std::any_of(service.volumes.begin(), service.volumes.end(), [&](const stack::Mount& mount) {
    return mount.kind == stack::MountKind::bind && below(without_slash(mount.source), path);
  });
}

DevelopRules develop_rules(const stack::ServiceSpec& service, const docker::IgnoreRules& context_ignore) {
  DevelopRules out;
  for (const auto& trigger : service.watch) {
    DevelopRule rule;
    rule.service = service.name;
    rule.trigger = trigger;
    rule.trigger.path = without_slash(trigger.path);
    if (rule.syncs() && bind_mounted(rule.trigger.path, service)) {
      out.warnings.push_back(
          fmt::format("services.{}.develop.watch: {} is also mounted from here by `volumes`: "
                      "changes of it are not synced",
                      service.name, rule.trigger.path));
      continue;
    }
    rule.ignore = docker::IgnoreRules(std::string(kNobodysFiles) + lines(trigger.ignore));
    rule.include = docker::IgnoreRules(lines(trigger.include));
    rule.context = build_folder(service);
    rule.context_ignore = context_ignore;
    out.rules.push_back(std::move(rule));
  }
  return out;
}

DevelopBatch develop_batch(const std::vector<DevelopRule>& rules, const std::set<std::string>& paths) {
  DevelopBatch batch;
  for (const auto& rule : rules) {
    const auto& action = rule.trigger.action;
    bool set_off = false;
    for (const auto& path : paths) {
      if (!rule.concerns(path)) continue;
      set_off = true;
      if (!rule.syncs()) break;
      auto& synced = batch.sync[rule.service];
      SyncedPath pair{path, rule.place_of(path)};
      if (std::find(synced.begin(), synced.end(), pair) == synced.end()) synced.push_back(std::move(pair));
    }
    if (!set_off) continue;
    if (action == "rebuild") batch.rebuild.insert(rule.service);
    if (action == "restart" || action == "sync+restart") batch.restart.insert(rule.service);
    if (action == "sync+exec" && rule.trigger.exec) batch.exec[rule.service].push_back(*rule.trigger.exec);
  }
  return batch;
}

}  // namespace devstack::supervisor
