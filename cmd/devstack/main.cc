#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <optional>

#include "cmd/devstack/command.h"
#include "cmd/devstack/exit_code.h"
#include "cmd/devstack/terminal.h"
#include "core/base/log.h"
#include "core/base/suggest.h"

namespace {

constexpr const char* kFooter = R"(Exit codes: 0 ok, 1 failed, 2 usage, 3 Docker unreachable, 4 port taken,
5 not healthy in time, 6 stack file error, 130 interrupted.

Start with: devstack up        Then look at: http://127.0.0.1:7500/)";

/// The command that was asked for and does not exist, if that is what is wrong.
std::optional<std::string> unknown_command(const CLI::App& cli, int argc, char** argv) {
  std::vector<std::string> names;
  for (const auto* command : cli.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "-f" || word == "--file" || word == "-p" || word == "--project" || word == "--log-level") {
      ++i;
    } else if (!word.starts_with('-')) {
      if (std::find(names.begin(), names.end(), word) != names.end()) return std::nullopt;
      const std::vector<std::string_view> candidates(names.begin(), names.end());
      const auto meant = devstack::nearest(word, candidates);
      return "unknown command \"" + word + "\"" + (meant ? "; did you mean \"" + *meant + "\"?" : "");
    }
  }
  return std::nullopt;
}

int run(int argc, char** argv) {
  CLI::App cli{"devstack: registry, DNS, registrator, proxy, templates and your services from one stack.yaml",
               "devstack"};
  cli.footer(kFooter);
  cli.require_subcommand(1);
  cli.fallthrough();
  devstack::Globals globals;
  devstack::Command chosen;
  cli.add_option("-f,--file", globals.files, "stack file (default: stack.yaml, then Compose's names, walking up)");
  cli.add_option("-p,--project", globals.project, "project name (default: the file's name: or its folder)");
  cli.add_flag("--json", globals.json, "print JSON where a command has it");
  cli.add_option("--log-level", globals.log_level, "trace, debug, info, warn or error");
  cli.add_flag("--no-color", globals.no_color, "no colours (also: NO_COLOR in the environment)");

  const devstack::CommandLine line{cli, globals, chosen};
  devstack::add_up(line);
  devstack::add_down(line);
  devstack::add_status(line);
  devstack::add_logs(line);
  devstack::add_unit_actions(line);
  devstack::add_port(line);
  devstack::add_config(line);
  devstack::add_registry(line);
  devstack::add_dns(line);
  devstack::add_version(line);

  try {
    cli.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return cli.exit(help);
  } catch (const CLI::ParseError& error) {
    if (argc == 1) {
      fmt::print("{}", cli.help());
      return devstack::exit_code(devstack::Errc::usage);
    }
    const auto unknown = unknown_command(cli, argc, argv);
    devstack::terminal::complain(unknown ? *unknown : error.what());
    devstack::terminal::complain("see: devstack --help");
    return devstack::exit_code(devstack::Errc::usage);
  }
  if (globals.no_color) devstack::terminal::set_colour(devstack::terminal::Colour::never);
  const auto level = devstack::log::parse_level(globals.log_level);
  if (!level) return devstack::report(level.error());
  devstack::log::set_level(*level);
  return chosen();
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    devstack::terminal::complain(error.what());
    return 1;
  }
}
