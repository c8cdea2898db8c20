#include "core/supervisor/develop_files.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "core/docker/build_context.h"
#include "core/docker/tar_file.h"

namespace devstack::supervisor {
namespace {

namespace fs = std::filesystem;

/// Whether it tells how services are made, and is no part of one.
bool makes_services(const std::string& path, const stack::ServiceSpec& service) {
  constexpr std::array names{"Dockerfile",
                             "stack.yaml",
                             "compose.yaml",
                             "compose.yml",
                             "docker-compose.yml",
                             "docker-compose.yaml",
                             "compose.override.yml",
                             "compose.override.yaml",
                             "docker-compose.override.yml",
                             "docker-compose.override.yaml"};
  const auto name = fs::path(path).filename().string();
  if (std::find(names.begin(), names.end(), name) != names.end()) return true;
  return service.build && fs::path(service.build->dockerfile).filename().string() == name;
}

}  // namespace

Result<DevelopRules> read_develop_rules(const stack::ServiceSpec& service) {
  docker::IgnoreRules of_context;
  if (const auto folder = build_folder(service); !folder.empty()) {
    const auto& build = *service.build;
    TRY(of_context, docker::read_ignore_rules(folder, build.dockerfile, build.dockerfile_inline.empty()));
  }
  return develop_rules(service, of_context);
}

std::set<std::string> concerned_files(const DevelopRule& rule) {
  std::error_code error;
  std::set<std::string> found;
  if (!fs::is_directory(rule.trigger.path, error)) {
    if (fs::exists(rule.trigger.path, error) && rule.concerns(rule.trigger.path)) found.insert(rule.trigger.path);
    return found;
  }
  std::vector<std::string> open{rule.trigger.path};
  while (!open.empty()) {
    const auto at = std::move(open.back());
    open.pop_back();
    for (fs::directory_iterator entry(at, error), end; !error && entry != end; entry.increment(error)) {
      const auto path = entry->path().string();
      std::error_code gone;
      const bool folder = entry->is_directory(gone) && !entry->is_symlink(gone);
      if (folder && rule.looks_into(path)) open.push_back(path);
      if (!folder && rule.concerns(path)) found.insert(path);
    }
  }
  return found;
}

std::vector<SyncedPath> initial_sync(const DevelopRule& rule, const stack::ServiceSpec& service) {
  std::vector<SyncedPath> out;
  for (const auto& path : concerned_files(rule)) {
    if (makes_services(path, service) || bind_mounted(path, service)) continue;
    out.push_back({path, rule.place_of(path)});
  }
  return out;
}

Result<SyncWork> sync_work(const std::vector<SyncedPath>& paths, std::size_t most) {
  SyncWork work;
  for (const auto& [from, to] : paths) {
    if (to == "/") continue;  // a container has it as long as it is there
    const auto entry = docker::read_tar_entry(from, to.substr(1));
    if (!entry && entry.error().code == Errc::not_found) {
      work.gone.push_back(to);
      continue;
    }
    if (!entry) return tl::unexpected<Error>(entry.error());
    if (!*entry) continue;
    docker::append_tar_entry(work.tar, **entry);
    if (work.tar.size() > most) {
      return fail(Errc::too_large, "more than {} MiB have changed at once: `ignore` what the container does not need",
                  most >> 20U);
    }
  }
  if (!work.tar.empty()) docker::end_tar(work.tar);
  std::sort(work.gone.begin(), work.gone.end());
  stack::Texts tops;
  for (auto& path : work.gone) {
    const bool below =
        std::any_of(tops.begin(), tops.end(), [&](const auto& top) { return path.starts_with(top + "/"); });
    if (!below) tops.push_back(std::move(path));
  }
  work.gone = std::move(tops);
  return work;
}

}  // namespace devstack::supervisor
