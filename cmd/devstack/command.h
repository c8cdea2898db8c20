#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/stack/stack_file.h"

/// What the command files share. A command registers itself on the CLI with a callback that stores what to run; main()
/// runs it after parsing and exits with its code.
namespace devstack {

struct Globals {
  std::vector<std::string> files;
  std::string stdin_text;  ///< what `-f -` stands for
  std::string project;
  std::string project_directory;
  std::vector<std::string> profiles;
  std::vector<std::string> env_files;
  std::string log_level = "info";
  bool json = false;
  bool no_color = false;
  std::string ui_dir;
};

/// Runs after parsing; returns the exit code.
using Command = std::function<int()>;

struct CommandLine {
  CLI::App& cli;
  Globals& globals;
  Command& chosen;
};

void add_up(CommandLine line);
void add_down(CommandLine line);
void add_status(CommandLine line);
void add_logs(CommandLine line);
void add_unit_actions(CommandLine line);
void add_port(CommandLine line);
void add_config(CommandLine line);
void add_plan(CommandLine line);
void add_exec(CommandLine line);
void add_run(CommandLine line);
void add_cp(CommandLine line);
void add_images(CommandLine line);
void add_top(CommandLine line);
void add_watch(CommandLine line);
void add_registry(CommandLine line);
void add_dns(CommandLine line);
void add_kv(CommandLine line);
void add_services(CommandLine line);
void add_events(CommandLine line);
void add_host(CommandLine line);
void add_version(CommandLine line);

/// -f, -p, --project-directory, --profile and --env-file.
void add_load_flags(CLI::App& cli, Globals& globals);
/// Reads standard input where `-f -` asks for it; once, after parsing.
Result<void> read_standard_input(Globals& globals);
stack::LoadOptions load_options(const Globals& globals);
/// The same as flags, with absolute paths: for another devstack that is to load the same stack. Standard input is
/// written to `stdin_file` for it.
Result<std::vector<std::string>> load_flags(const Globals& globals, const std::string& stdin_file);

/// How a stack file was found, as the body of the control API's apply: the supervisor reads it again by itself, with
/// the caller's environment.
std::string apply_request(const stack::LoadOptions& load);
Result<stack::LoadOptions> parse_apply_request(std::string_view text);

/// `-e NAME=VALUE` words; a name alone takes its value from our environment, or is left out. Errc::usage.
Result<std::map<std::string, std::string>> variables_of(const std::vector<std::string>& words);

/// Says the error as the user should read it and returns its exit code.
int report(const Error& error);

}  // namespace devstack
