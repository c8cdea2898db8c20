#include "cmd/devstack/command.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cmd/devstack/exit_code.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/terminal.h"

namespace devstack {

namespace {

namespace json = boost::json;
using Load = stack::LoadOptions;

constexpr std::size_t kMostStandardInput = (1U << 20U) + 1;
constexpr const char* kStandardInput = "-";

bool wants_standard_input(const Globals& globals) {
  return std::find(globals.files.begin(), globals.files.end(), kStandardInput) != globals.files.end();
}

/// The fields of an apply request. `Load`'s order; a request of an older client may lack the later ones.
struct TextsField {
  std::string_view name;
  stack::Texts Load::*member;
};
struct TextField {
  std::string_view name;
  std::string Load::*member;
};
constexpr TextsField kTexts[] = {
    {"files", &Load::files},
    {"profiles", &Load::profiles},
    {"env_files", &Load::env_files},
    {"targets", &Load::targets},
};
constexpr TextField kText[] = {
    {"cwd", &Load::cwd},
    {"project", &Load::project},
    {"project_directory", &Load::project_directory},
    {"stdin", &Load::stdin_text},
};

/// A text that only its owner may read: a stack file may hold secrets.
Result<void> write_private(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Errc::io, "cannot write {}: {}", path, std::strerror(errno));
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int why = errno;
  ::close(fd);
  if (!written) return fail(Errc::io, "cannot write {}: {}", path, std::strerror(why));
  return {};
}

}  // namespace

void add_load_flags(CLI::App& cli, Globals& globals) {
  cli.add_option("-f,--file", globals.files,
                 "stack file; again for more, merged in order; - is standard input\n"
                 "(default: stack.yaml, then Compose's names, walking up, with its override file)")
      ->allow_extra_args(false);
  cli.add_option("-p,--project,--project-name", globals.project,
                 "project name (default: the file's name: or its folder)");
  cli.add_option("--project-directory", globals.project_directory,
                 "what relative paths are relative to (default: the first file's folder)");
  cli.add_option("--profile", globals.profiles, "activate a profile; again for more; * for all")
      ->allow_extra_args(false);
  cli.add_option("--env-file", globals.env_files, "read variables from here instead of .env; again for more")
      ->allow_extra_args(false);
}

Result<void> read_standard_input(Globals& globals) {
  if (!wants_standard_input(globals)) return {};
  char buffer[65536];
  while (globals.stdin_text.size() < kMostStandardInput) {
    const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Errc::io, "cannot read standard input: {}", std::strerror(errno));
    if (got == 0) break;
    globals.stdin_text.append(buffer, static_cast<std::size_t>(got));
  }
  return {};
}

stack::LoadOptions load_options(const Globals& globals) {
  stack::LoadOptions options;
  options.files = globals.files;
  options.stdin_text = globals.stdin_text;
  options.cwd = std::filesystem::current_path().string();
  options.project = globals.project;
  options.project_directory = globals.project_directory;
  options.profiles = globals.profiles;
  options.env_files = globals.env_files;
  options.environment = environment();
  return options;
}

Result<std::vector<std::string>> load_flags(const Globals& globals, const std::string& stdin_file) {
  const auto absolute = [](const std::string& path) {
    return std::filesystem::absolute(path).lexically_normal().string();
  };
  std::vector<std::string> flags;
  // Without -f the other one searches as we did, from the same folder and with the same environment.
  for (const auto& file : globals.files) {
    if (file == kStandardInput) CHECK(write_private(stdin_file, globals.stdin_text));
    flags.insert(flags.end(), {"-f", file == kStandardInput ? stdin_file : absolute(file)});
  }
  for (const auto& file : globals.env_files) flags.insert(flags.end(), {"--env-file", absolute(file)});
  for (const auto& profile : globals.profiles) flags.insert(flags.end(), {"--profile", profile});
  const bool from_here = !globals.files.empty() && globals.files.front() == kStandardInput;
  if (!globals.project_directory.empty() || from_here) {
    const auto folder = globals.project_directory.empty() ? "." : globals.project_directory;
    flags.insert(flags.end(), {"--project-directory", absolute(folder)});
  }
  return flags;
}

std::string apply_request(const stack::LoadOptions& load) {
  json::object request;
  for (const auto& field : kTexts) request[field.name] = json::value_from(load.*field.member);
  for (const auto& field : kText) request[field.name] = load.*field.member;
  request["environment"] = json::value_from(load.environment);
  return json::serialize(request);
}

Result<stack::LoadOptions> parse_apply_request(std::string_view text) {
  boost::system::error_code error;
  const auto value = json::parse(text, error);
  if (error || !value.is_object()) return fail(Errc::invalid_argument, "apply takes a JSON object");
  stack::LoadOptions load;
  try {
    const auto& fields = value.as_object();
    for (const auto* field : {"files", "cwd", "project", "environment"}) fields.at(field);
    for (const auto& field : kTexts) {
      if (const auto* given = fields.if_contains(field.name)) load.*field.member = json::value_to<stack::Texts>(*given);
    }
    for (const auto& field : kText) {
      if (const auto* given = fields.if_contains(field.name)) load.*field.member = json::value_to<std::string>(*given);
    }
    load.environment = json::value_to<stack::Environment>(fields.at("environment"));
  } catch (const std::exception& wrong) {
    return fail(Errc::invalid_argument, "apply: {}", wrong.what());
  }
  return load;
}

int report(const Error& error) {
  terminal::complain(error.to_string());
  return exit_code(error.code);
}

}  // namespace devstack
