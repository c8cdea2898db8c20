#include "core/stack/sources.h"

#include <filesystem>

#include "core/stack/find.h"

namespace devstack::stack {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStandardInput = "-";

/// The files that somebody named; none: they are to be searched.
Texts named(const LoadOptions& options, const Environment& environment) {
  if (!options.files.empty()) return options.files;
  const auto separator = variable(environment, "COMPOSE_PATH_SEPARATOR");
  return split_list(variable(environment, "COMPOSE_FILE"), separator.empty() ? ":" : separator);
}

Result<Texts> choose(const LoadOptions& options, const Environment& environment, const std::string& cwd) {
  auto paths = named(options, environment);
  if (paths.empty()) {
    const auto from = options.project_directory.empty() ? cwd : (fs::path(cwd) / options.project_directory).string();
    TRY(std::string found, find_stack_file(from));
    auto beside = find_override_file(found);
    paths.push_back(std::move(found));
    if (!beside.empty()) paths.push_back(std::move(beside));
    return paths;
  }
  for (auto& path : paths) {
    if (path != kStandardInput) path = (fs::path(cwd) / path).lexically_normal().string();
  }
  return paths;
}

std::string project_folder(const LoadOptions& options, const std::string& first, const std::string& cwd) {
  if (!options.project_directory.empty()) {
    return working_folder((fs::path(cwd) / options.project_directory).string());
  }
  return first == kStandardInput ? cwd : fs::path(first).parent_path().string();
}

}  // namespace

Result<Sources> find_sources(const LoadOptions& options, const std::string& cwd, Diagnostics& report) {
  Sources sources;
  TRY(sources.environment, read_environment(options, cwd));
  TRY(const Texts paths, choose(options, sources.environment.values, cwd));
  sources.project_dir = project_folder(options, paths.front(), cwd);
  CHECK(add_project_env_file(sources.environment, options, cwd, sources.project_dir));
  for (const auto& path : paths) {
    const bool standard_input = path == kStandardInput;
    auto text = standard_input ? Result<std::string>(options.stdin_text) : read_whole_file(path);
    if (text) {
      sources.files.push_back({path, standard_input ? "stdin" : shown_path(path, cwd), std::move(*text)});
    } else {
      report.add(std::move(text.error()));
    }
  }
  return sources;
}

}  // namespace devstack::stack
