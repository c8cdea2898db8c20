// The way of a stack file: find, read, interpolate, normalise, validate.
#include <algorithm>
#include <filesystem>

#include "core/base/suggest.h"
#include "core/stack/find.h"
#include "core/stack/interpolate.h"
#include "core/stack/read.h"

namespace devstack::stack {
namespace {

namespace fs = std::filesystem;

constexpr Unsupported kTopLevelLater[] = {
    {"include"},
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
    if (entry.key.starts_with("x-")) continue;
    if (!is_service_name(entry.key)) {
      in.report.error(entry.at, "services: \"{}\" is no service name: use letters, digits, `-`, `_` and `.`",
                      entry.key);
      continue;
    }
    file.services.emplace(entry.key, read_service(entry, in));
  }
}

/// Compose format 1 had the services at the top level.
bool looks_like_version_1(const Node& root) {
  if (root.find("services") != nullptr) return false;
  return std::any_of(root.entries.begin(), root.entries.end(), [](const Entry& entry) {
    return !entry.key.starts_with("x-") && !is_component_key(entry.key) && entry.value.kind == Node::Kind::map &&
           (entry.value.find("image") != nullptr || entry.value.find("build") != nullptr);
  });
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

std::string normalised_project(std::string_view name) {
  std::string out;
  for (const unsigned char c : name) {
    const auto lower = static_cast<char>(std::tolower(c));
    if (std::isalnum(c) != 0 || ((lower == '_' || lower == '-') && !out.empty())) out += lower;
  }
  return out;
}

bool is_project_name(std::string_view name) { return !name.empty() && normalised_project(name) == name; }

/// -p, then COMPOSE_PROJECT_NAME, then `name:`, then the folder's name.
void read_project(const Node& root, const LoadOptions& options, const Environment& environment, StackFile& file,
                  const Reading& in) {
  constexpr std::string_view rule = "use a-z, 0-9, `-` and `_`, beginning with a letter or digit";
  const Node* name = root.find("name");
  if (name != nullptr && !is_project_name(read_text(*name, in).value_or("x"))) {
    in.report.error(name->at, "name: \"{}\" is no project name: {}", name->text, rule);
  }
  const auto from_environment = environment.find("COMPOSE_PROJECT_NAME");
  if (!options.project.empty()) {
    file.project = options.project;
  } else if (from_environment != environment.end() && !from_environment->second.empty()) {
    file.project = from_environment->second;
  } else if (name != nullptr) {
    file.project = name->text;
    return;
  } else {
    file.project = normalised_project(fs::path(file.project_dir).filename().string());
    if (file.project.empty()) file.project = "default";
    return;
  }
  if (!is_project_name(file.project)) in.report.error({}, "\"{}\" is no project name: {}", file.project, rule);
}

/// The process environment, and below it the .env file beside the stack file.
Result<Environment> gather_environment(const LoadOptions& options, const std::string& project_dir) {
  Environment all = options.environment;
  const auto disabled = all.find("COMPOSE_DISABLE_ENV_FILE");
  if (disabled != all.end() && (disabled->second == "1" || disabled->second == "true")) return all;
  const auto path = (fs::path(project_dir) / ".env").string();
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return all;
  TRY(const std::string text, read_whole_file(path));
  TRY(const Environment file, read_dotenv(text, ".env", options.environment));
  all.insert(file.begin(), file.end());
  return all;
}

Result<StackFile> read_stack(std::string_view text, std::string_view shown, StackFile file, const LoadOptions& options,
                             Diagnostics& report) {
  TRY(const Environment environment, gather_environment(options, file.project_dir));
  TRY(Node root, read_yaml(text, shown, report));
  const SourcePos start{std::string(shown), 1, 1};
  if (root.kind == Node::Kind::null) return fail_at(start, Errc::stack_file, "the file is empty");
  if (root.kind != Node::Kind::map) {
    return fail_at(root.at, Errc::stack_file, "expected a map of keys like `services:`, found {}", root.describe());
  }
  if (looks_like_version_1(root)) {
    return fail_at(root.at, Errc::stack_file,
                   "this is Compose's old format 1: put a line `services:` first and indent the rest below it");
  }
  interpolate_tree(root, environment, report);
  const Reading in{report, environment, file.project_dir};
  read_project(root, options, environment, file, in);
  read_top_level(root, file, in);
  complete_definitions(file);
  validate(file, root, in);
  if (report.failed()) return tl::unexpected<Error>(report.error());
  file.warnings = report.warnings();
  return file;
}

/// As the user would name it: relative to where they stand when it is below, else absolute.
std::string shown_path(const std::string& path, const std::string& cwd) {
  const auto relative = fs::path(path).lexically_relative(cwd).string();
  return relative.empty() || relative.starts_with("..") ? path : relative;
}

Result<std::string> chosen_file(const LoadOptions& options, const std::string& cwd) {
  auto files = options.files;
  const auto listed = options.environment.find("COMPOSE_FILE");
  if (files.empty() && listed != options.environment.end()) {
    std::string_view rest = listed->second;
    while (!rest.empty()) {
      const auto colon = rest.find(':');
      if (colon != 0) files.emplace_back(rest.substr(0, colon));
      rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
    }
  }
  if (files.size() > 1) {
    return fail(Errc::stack_file, "several stack files are not supported yet: put {} and {} into one", files[0],
                files[1]);
  }
  if (files.empty()) return find_stack_file(cwd);
  return (fs::path(cwd) / files.front()).lexically_normal().string();
}

std::string working_folder(const LoadOptions& options) {
  std::error_code ignored;
  auto cwd = options.cwd.empty() ? fs::current_path(ignored) : fs::absolute(options.cwd, ignored);
  auto text = cwd.lexically_normal().string();
  if (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

}  // namespace

Result<StackFile> load(const LoadOptions& options) {
  const auto cwd = working_folder(options);
  TRY(const std::string path, chosen_file(options, cwd));
  TRY(const std::string text, read_whole_file(path));
  StackFile file;
  file.path = path;
  file.project_dir = fs::path(path).parent_path().string();
  Diagnostics report;
  const auto shown = shown_path(path, cwd);
  if (const auto other = find_override_file(path); options.files.empty() && !other.empty()) {
    report.warn({shown, 1, 1}, "{} is not read: several files are not supported yet", shown_path(other, cwd));
  }
  return read_stack(text, shown, std::move(file), options, report);
}

Result<StackFile> parse(std::string_view text, std::string_view name, const LoadOptions& options) {
  StackFile file;
  file.project_dir = working_folder(options);
  file.path = (fs::path(file.project_dir) / name).lexically_normal().string();
  Diagnostics report;
  return read_stack(text, name, std::move(file), options, report);
}

}  // namespace devstack::stack
