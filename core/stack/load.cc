// The way of a stack file: find, read, fill in, merge, read into types, validate.
#include <algorithm>
#include <filesystem>

#include "core/base/suggest.h"
#include "core/stack/find.h"
#include "core/stack/profiles.h"
#include "core/stack/project.h"
#include "core/stack/read.h"

namespace devstack::stack {
namespace {

constexpr Unsupported kTopLevelLater[] = {
    {"models", "run the model's server as a service with an image"},
};

bool is_service_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
  });
}

void read_services(StackFile& file, const Node& node, const Reading& in) {
  if (!expect_map(node, in)) return;
  for (const auto& entry : node.entries) {
    if (!is_service_name(entry.key)) {
      in.report.error(entry.at, "services: \"{}\" is no service name: use letters, digits, `-`, `_` and `.`",
                      entry.key);
      continue;
    }
    file.services.emplace(entry.key, read_service(entry, in));
  }
}

void read_own_section(const Node& node, const Node& root, StackFile& file, const Reading& in) {
  if (!expect_map(node, in)) return;
  for (const auto& entry : node.entries) {
    if (is_component_key(entry.key)) {
      if (root.find(entry.key) != nullptr) {
        in.report.error(entry.at, "x-devstack: \"{}\" stands at the top level too: give it once", entry.key);
      }
      read_component(entry, file, in);
    } else {
      report_key(entry, node, component_keys(), {}, in);
    }
  }
}

void read_top_level(const Node& root, StackFile& file, const Reading& in) {
  std::vector<std::string_view> known{"name", "services", "version"};
  known.insert(known.end(), component_keys().begin(), component_keys().end());
  known.insert(known.end(), definition_keys().begin(), definition_keys().end());
  for (const auto& entry : root.entries) {
    if (entry.key == "services") {
      read_services(file, entry.value, in);
    } else if (entry.key == "version") {
      in.report.warn(entry.at, "`version` is obsolete and ignored: remove it");
    } else if (entry.key == "x-devstack") {
      read_own_section(entry.value, root, file, in);
    } else if (is_component_key(entry.key)) {
      read_component(entry, file, in);
    } else if (entry.key != "name" && !read_definitions(entry, file, in)) {
      report_key(entry, root, known, kTopLevelLater, in);
    }
  }
}

/// Services that were named on the command line must be there.
Result<void> check_targets(const StackFile& file, const LoadOptions& options) {
  std::vector<std::string_view> names;
  for (const auto& [name, service] : file.services) names.push_back(name);
  for (const auto& target : options.targets) {
    if (file.services.contains(target)) continue;
    const auto meant = nearest(target, names);
    return fail(Errc::not_found, "no service \"{}\" in {}{}", target, file.path,
                meant ? fmt::format("; did you mean \"{}\"?", *meant) : "");
  }
  return {};
}

Result<StackFile> read_stack(const Sources& sources, Assembly& all, const LoadOptions& options) {
  Project project = read_project(sources, all, options);
  auto& report = all.report;
  StackFile file;
  file.path = sources.files.empty() ? "" : sources.files.front().path;
  file.files = all.read;
  for (const auto& source : sources.files) file.config_files.push_back(source.path);
  file.env_files = sources.environment.files;
  file.project_dir = sources.project_dir;
  file.project = std::move(project.name);
  const Reading in{report, project.environment, file.project_dir};
  read_top_level(project.root, file, in);
  const auto targets = check_targets(file, options);
  apply_profiles(file, active_profiles(file, options, project.environment), project.root, report);
  complete_definitions(file);
  validate(file, project.root, in);
  if (report.failed()) return tl::unexpected<Error>(report.error());
  CHECK(targets);
  file.warnings = report.warnings();
  return file;
}

}  // namespace

Result<StackFile> load(const LoadOptions& options) {
  const auto cwd = working_folder(options.cwd);
  Diagnostics report;
  TRY(const Sources sources, find_sources(options, cwd, report));
  Assembly all(report, cwd);
  return read_stack(sources, all, options);
}

Result<StackFile> parse(const std::vector<NamedText>& texts, const LoadOptions& options) {
  const auto cwd = working_folder(options.cwd);
  Sources sources;
  sources.project_dir = cwd;
  TRY(sources.environment, read_environment(options, cwd));
  for (const auto& [name, text] : texts) {
    sources.files.push_back({(std::filesystem::path(cwd) / name).lexically_normal().string(), name, text});
  }
  Diagnostics report;
  Assembly all(report, cwd);
  return read_stack(sources, all, options);
}

Result<StackFile> parse(std::string_view text, std::string_view name, const LoadOptions& options) {
  return parse({NamedText{std::string(name), std::string(text)}}, options);
}

}  // namespace devstack::stack
