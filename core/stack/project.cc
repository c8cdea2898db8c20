#include "core/stack/project.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace devstack::stack {
namespace {

constexpr std::string_view kRule = "use a-z, 0-9, `-` and `_`, beginning with a letter or digit";

std::string normalised(std::string_view name) {
  std::string out;
  for (const unsigned char c : name) {
    const auto lower = static_cast<char>(std::tolower(c));
    if (std::isalnum(c) != 0 || ((lower == '_' || lower == '-') && !out.empty())) out += lower;
  }
  return out;
}

bool is_project_name(std::string_view name) { return !name.empty() && normalised(name) == name; }

std::string name_of_folder(const std::string& dir) {
  auto name = normalised(std::filesystem::path(dir).filename().string());
  return name.empty() ? "default" : name;
}

/// The last `name:` of several files, filled in. What is wrong with it is said when its file is filled in.
std::string name_in_files(const std::vector<Document>& documents, const Environment& environment) {
  std::string found;
  const Variables variables{.value = [&](const std::string& name) -> std::optional<std::string> {
                              const auto at = environment.find(name);
                              return at == environment.end() ? std::nullopt : std::optional(at->second);
                            },
                            .unset = [](const std::string&) {},
                            .keep = {}};
  for (const auto& document : documents) {
    const Node* name = document.root.find("name");
    if (name == nullptr || name->kind != Node::Kind::scalar) continue;
    found = interpolate(name->text, variables).value_or("");
  }
  return found;
}

bool is_empty(const Document& document) { return document.root.kind == Node::Kind::null; }

void check_name(const Node& root, Diagnostics& report) {
  const Node* name = root.find("name");
  if (name == nullptr) return;
  if (name->kind != Node::Kind::scalar) {
    report.error(name->at, "name: expected a string, found {}", name->describe());
  } else if (!is_project_name(name->text)) {
    report.error(name->at, "name: \"{}\" is no project name: {}", name->text, kRule);
  }
}

}  // namespace

Project read_project(const Sources& sources, Assembly& all, const LoadOptions& options) {
  std::vector<Document> documents;
  for (const auto& file : sources.files) {
    for (auto& document : all.parse(file)) documents.push_back(std::move(document));
  }
  if (!documents.empty() && std::all_of(documents.begin(), documents.end(), is_empty)) {
    all.report.error({documents.front().file.shown, 1, 1}, "the file is empty");
  }
  Project project;
  project.environment = sources.environment.values;
  project.name = options.project.empty() ? variable(project.environment, "COMPOSE_PROJECT_NAME") : options.project;
  const bool given = !project.name.empty();
  if (given && !is_project_name(project.name)) {
    all.report.error({}, "\"{}\" is no project name: {}", project.name, kRule);
  }
  if (!given) project.name = name_in_files(documents, project.environment);
  if (project.name.empty()) project.name = name_of_folder(sources.project_dir);
  project.environment["COMPOSE_PROJECT_NAME"] = project.name;

  Place place{sources.project_dir, project.environment, {}};
  if (!sources.files.empty()) place.including.push_back(sources.files.front().path);
  project.root = assemble(std::move(documents), place, all);
  if (all.interpolating) check_name(project.root, all.report);
  return project;
}

}  // namespace devstack::stack
