#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <optional>

#include "cmd/devstack/command.h"
#include "cmd/devstack/exit_code.h"
#include "cmd/devstack/go_flags.h"
#include "cmd/devstack/terminal.h"
#include "core/base/log.h"
#include "core/base/suggest.h"

namespace {

constexpr const char* kFooter = R"(Exit codes: 0 ok, 1 failed, 2 usage, 3 Docker unreachable, 4 port taken,
5 not healthy in time, 6 stack file error, 130 interrupted.

Start with: devstack up        Then look at: http://127.0.0.1:7500/)";

constexpr std::array<std::string_view, 9> kFlagsWithValue{"-f",        "--file",         "-p",
                                                          "--project", "--project-name", "--project-directory",
                                                          "--profile", "--env-file",     "--log-level"};

/// The first word that is neither a flag nor its value: the command. Past the end where there is none.
std::size_t command_place(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto& word = arguments[i];
    if (std::ranges::find(kFlagsWithValue, word) != kFlagsWithValue.end()) {
      ++i;
    } else if (!word.starts_with('-')) {
      return i;
    }
  }
  return arguments.size();
}

/// What is wrong with a command's name, if it has no such subcommand.
std::optional<std::string> unknown_name(const CLI::App& command, const std::string& word) {
  std::vector<std::string> names;
  for (const auto* below : command.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(below->get_name());
  if (std::find(names.begin(), names.end(), word) != names.end()) return std::nullopt;
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const auto meant = devstack::nearest(word, candidates);
  return "unknown command \"" + word + "\"" + (meant ? "; did you mean \"" + *meant + "\"?" : "");
}

/// The command that was asked for and does not exist, if that is what is wrong.
std::optional<std::string> unknown_command(const CLI::App& cli, const std::vector<std::string>& arguments) {
  const std::size_t place = command_place(arguments);
  if (place == arguments.size()) return std::nullopt;
  auto unknown = unknown_name(cli, arguments[place]);
  if (unknown || place + 1 == arguments.size() || arguments[place + 1].starts_with('-')) return unknown;
  const auto* command = cli.get_subcommand(arguments[place]);
  if (command->get_require_subcommand_min() == 0) return std::nullopt;
  return unknown_name(*command, arguments[place + 1]);
}

/// What is to be run elsewhere keeps its flags; what follows a command that Consul's program has too may be written as
/// that wants it.
std::vector<std::string> understood(const CLI::App& cli, std::vector<std::string> arguments) {
  const std::size_t place = command_place(arguments);
  if (place < arguments.size() && (arguments[place] == "exec" || arguments[place] == "run")) {
    const auto* command = cli.get_subcommand(arguments[place]);
    return devstack::with_command_apart(std::move(arguments), place, *command);
  }
  static constexpr std::array kLikeConsul{"kv", "services", "events"};
  if (place == arguments.size() || std::ranges::find(kLikeConsul, arguments[place]) == kLikeConsul.end()) {
    return arguments;
  }
  auto known = devstack::long_flags(*cli.get_subcommand(arguments[place]));
  known.merge(devstack::long_flags_here(cli));
  const auto command = arguments.begin() + static_cast<std::ptrdiff_t>(place);
  const auto rest = devstack::with_two_dashes({command, arguments.end()}, known);
  arguments.erase(command, arguments.end());
  arguments.insert(arguments.end(), rest.begin(), rest.end());
  return arguments;
}

int run(int argc, char** argv) {
  CLI::App cli{"devstack: registry, DNS, registrator, proxy, templates and your services from one stack.yaml",
               "devstack"};
  cli.footer(kFooter);
  cli.require_subcommand(1);
  cli.fallthrough();
  devstack::Globals globals;
  devstack::Command chosen;
  devstack::add_load_flags(cli, globals);
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
  devstack::add_plan(line);
  devstack::add_exec(line);
  devstack::add_run(line);
  devstack::add_cp(line);
  devstack::add_images(line);
  devstack::add_top(line);
  devstack::add_watch(line);
  devstack::add_registry(line);
  devstack::add_dns(line);
  devstack::add_kv(line);
  devstack::add_services(line);
  devstack::add_events(line);
  devstack::add_host(line);
  devstack::add_version(line);

  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    auto words = understood(cli, arguments);
    std::reverse(words.begin(), words.end());  // how CLI11 takes them
    cli.parse(std::move(words));
  } catch (const CLI::Success& help) {
    return cli.exit(help);
  } catch (const CLI::ParseError& error) {
    if (argc == 1) {
      fmt::print("{}", cli.help());
      return devstack::exit_code(devstack::Errc::usage);
    }
    const auto unknown = unknown_command(cli, arguments);
    devstack::terminal::complain(unknown ? *unknown : error.what());
    devstack::terminal::complain("see: devstack --help");
    return devstack::exit_code(devstack::Errc::usage);
  }
  if (globals.no_color) devstack::terminal::set_colour(devstack::terminal::Colour::never);
  const auto level = devstack::log::parse_level(globals.log_level);
  if (!level) return devstack::report(level.error());
  devstack::log::set_level(*level);
  if (const auto read = devstack::read_standard_input(globals); !read) return devstack::report(read.error());
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
