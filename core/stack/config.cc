#include "core/stack/config.h"

#include "core/stack/find.h"
#include "core/stack/print_tree.h"
#include "core/stack/project.h"

namespace devstack::stack {
namespace {

std::string print(const Node& tree, Form form) { return form == Form::json ? print_tree_json(tree) : print_tree(tree); }

}  // namespace

Result<Environment> interpolation_environment(const LoadOptions& options) {
  const auto cwd = working_folder(options.cwd);
  Diagnostics report;
  TRY(const Sources sources, find_sources(options, cwd, report));
  Assembly all(report, cwd);
  all.interpolating = false;
  return read_project(sources, all, options).environment;
}

Result<Explanation> explain_variable(const LoadOptions& options, const std::string& name) {
  const auto cwd = working_folder(options.cwd);
  Diagnostics report;
  TRY(const Sources sources, find_sources(options, cwd, report));
  if (report.failed()) return tl::unexpected<Error>(report.error());
  Assembly all(report, cwd);
  all.explained = name;
  const auto project = read_project(sources, all, options);
  Explanation explanation;
  const auto given = options.environment.find(name);
  if (given != options.environment.end()) explanation.sources.push_back({given->second, "the environment"});
  for (const auto& one : sources.environment.assignments) {
    if (one.name == name) explanation.sources.push_back({one.value, one.at.to_string()});
  }
  if (explanation.sources.empty() && name == "COMPOSE_PROJECT_NAME") {
    explanation.sources.push_back({project.name, "the project's name"});
  }
  for (const auto& use : all.uses) {
    explanation.uses.push_back({use.at.to_string(), use.path, use.written, use.result});
  }
  return explanation;
}

Result<std::string> merged_text(const LoadOptions& options, Form form) {
  const auto cwd = working_folder(options.cwd);
  Diagnostics report;
  TRY(const Sources sources, find_sources(options, cwd, report));
  Assembly all(report, cwd);
  all.interpolating = false;
  const auto project = read_project(sources, all, options);
  if (report.failed()) return tl::unexpected<Error>(report.error());
  return print(project.root, form);
}

Result<std::string> converted_text(const LoadOptions& options, Form form) {
  const auto cwd = working_folder(options.cwd);
  Diagnostics report;
  TRY(const Sources sources, find_sources(options, cwd, report));
  if (report.failed()) return tl::unexpected<Error>(report.error());
  const auto& file = sources.files.front();
  TRY(const Node root, read_yaml(file.text, file.shown, report));
  if (report.failed()) return tl::unexpected<Error>(report.error());
  if (is_version_1(root)) return print(convert_version_1(root), form);
  return fail_at({file.shown, 1, 1}, Errc::stack_file, "this is not Compose's format 1: there is nothing to convert");
}

}  // namespace devstack::stack
