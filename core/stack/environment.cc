#include "core/stack/environment.h"

#include <algorithm>
#include <filesystem>

#include "core/stack/find.h"

namespace devstack::stack {
namespace {

namespace fs = std::filesystem;

bool env_file_disabled(const Environment& environment) {
  const auto value = variable(environment, "COMPOSE_DISABLE_ENV_FILE");
  return value == "1" || value == "true" || value == "True" || value == "TRUE" || value == "t" || value == "T";
}

Texts named_files(const LoadOptions& options) {
  if (!options.env_files.empty()) return options.env_files;
  return split_list(variable(options.environment, "COMPOSE_ENV_FILES"), ",");
}

/// What stands in `files` above what `into` has from other files, and below its environment `above`.
Result<void> add_files(Filling& into, const Environment& above, const Texts& files, const std::string& cwd) {
  Environment from_files;
  std::vector<Assignment> assignments;
  for (const auto& path : files) {
    TRY(const std::string text, read_whole_file(path));
    auto known = above;
    known.insert(from_files.begin(), from_files.end());
    TRY(auto read, read_assignments(text, shown_path(path, cwd), known));
    for (auto& one : read) {
      from_files[one.name] = one.value;
      assignments.insert(assignments.begin(), std::move(one));
    }
  }
  into.assignments.insert(into.assignments.end(), assignments.begin(), assignments.end());
  into.values.insert(from_files.begin(), from_files.end());
  into.files.insert(into.files.end(), files.begin(), files.end());
  return {};
}

Result<void> add_dotenv(Filling& into, const Environment& above, const std::string& folder, const std::string& cwd) {
  const auto path = (fs::path(folder) / ".env").string();
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return {};
  return add_files(into, above, {path}, cwd);
}

}  // namespace

Result<Filling> read_environment(const LoadOptions& options, const std::string& cwd) {
  Filling filling{options.environment, {}, {}};
  auto files = named_files(options);
  if (files.empty()) {
    if (!env_file_disabled(options.environment)) CHECK(add_dotenv(filling, options.environment, cwd, cwd));
    return filling;
  }
  for (auto& file : files) file = (fs::path(cwd) / file).lexically_normal().string();
  CHECK(add_files(filling, options.environment, files, cwd));
  return filling;
}

Result<void> add_project_env_file(Filling& into, const LoadOptions& options, const std::string& cwd,
                                  const std::string& project_dir) {
  if (project_dir == cwd || !named_files(options).empty() || env_file_disabled(options.environment)) return {};
  const auto above = into.values;
  return add_dotenv(into, above, project_dir, cwd);
}

Result<Filling> included_environment(const Environment& above, const std::vector<std::string>& files,
                                     const std::string& cwd) {
  Filling filling{above, {}, {}};
  CHECK(add_files(filling, above, files, cwd));
  return filling;
}

std::vector<std::string> split_list(std::string_view text, std::string_view separator) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const auto cut = separator.empty() ? std::string_view::npos : text.find(separator);
    auto item = text.substr(0, cut);
    item.remove_prefix(std::min(item.find_first_not_of(' '), item.size()));
    item = item.substr(0, item.find_last_not_of(' ') + 1);
    if (!item.empty()) items.emplace_back(item);
    text.remove_prefix(cut == std::string_view::npos ? text.size() : cut + separator.size());
  }
  return items;
}

std::string variable(const Environment& environment, const std::string& name) {
  const auto at = environment.find(name);
  return at == environment.end() ? "" : at->second;
}

}  // namespace devstack::stack
