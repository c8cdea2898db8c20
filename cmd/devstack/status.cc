#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/project_choice.h"
#include "cmd/devstack/service_units.h"
#include "cmd/devstack/status_text.h"
#include "cmd/devstack/terminal.h"
#include "core/base/async/clock.h"
#include "core/control/client.h"
#include "core/control/status_json.h"

namespace devstack {
namespace {

using namespace std::chrono_literals;
struct PsFlags {
  bool all = false, quiet = false, services = false;
  std::vector<std::string> states, names;
  std::string format = "table";
};

asio::awaitable<Result<supervisor::Status>> fetch() {
  const control::ControlClient client(state_dir());
  co_return co_await client.status();
}

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// `ps` shows what is meant to run, as Compose's does not show what has ended.
bool is_shown(const supervisor::UnitStatus& unit, const PsFlags& flags) {
  using supervisor::UnitState;
  if (!flags.names.empty() && !contains(flags.names, unit.service) && !contains(flags.names, unit.name)) return false;
  if (!flags.states.empty()) return contains(flags.states, supervisor::to_string(unit.state));
  const bool over = unit.state == UnitState::completed || unit.state == UnitState::stopped;
  return flags.all || !over;
}

int print_units(const Globals& globals, const PsFlags& flags) {
  auto status = run_blocking(fetch());
  if (!status) return report(status.error());
  const auto project = named_project(globals);
  const auto up = choose_project(project_names(*status), project);
  const bool away = !up && up.error().code == Errc::not_found;
  if (away && !flags.names.empty()) return report(up.error());
  if (away) terminal::complain(up.error().message);
  *status = supervisor::of_project(std::move(*status), project);
  for (const auto& name : flags.names) {
    const auto known = unit_of_service(*status, name, 0);
    if (!known) return report(known.error());
  }
  std::erase_if(status->services, [&](const auto& unit) { return !is_shown(unit, flags); });
  if (flags.quiet || flags.services) {
    std::vector<std::string> lines;
    for (const auto& unit : status->services) {
      const auto& word = flags.services ? unit.service : unit.id;
      if (!word.empty() && !contains(lines, word)) lines.push_back(word);
    }
    for (const auto& line : lines) fmt::print("{}\n", line);
  } else if (flags.format == "json") {
    fmt::print("{}\n", control::to_json(*status));
  } else {
    fmt::print("{}", services_text(*status));
  }
  return 0;
}

int print_status(const Globals& globals) {
  const auto status = run_blocking(fetch());
  if (!status) return report(status.error());
  if (globals.json) {
    fmt::print("{}\n", control::to_json(*status));
  } else {
    fmt::print("{}", status_text(*status));
  }
  return status->healthy ? 0 : 1;
}

asio::awaitable<Result<bool>> watch_loop() {
  for (;;) {
    CO_TRY(const auto status, co_await fetch());
    fmt::print("\033[H\033[2J{}", status_text(status));
    std::fflush(stdout);
    co_await steady_clock().sleep_for(1s);
  }
}

int watch_status() {
  const auto ended = run_blocking(watch_loop());
  return ended ? 0 : report(ended.error());
}

}  // namespace

void add_status(CommandLine line) {
  auto* status = line.cli.add_subcommand("status", "components, services, addresses, and what is wrong");
  auto watch = std::make_shared<bool>(false);
  status->add_flag("-w,--watch", *watch, "redraw each second until interrupted");
  status->callback([line, watch] {
    line.chosen = [&globals = line.globals, watch] { return *watch ? watch_status() : print_status(globals); };
  });
  auto* ps = line.cli.add_subcommand("ps", "the stack's services");
  auto flags = std::make_shared<PsFlags>();
  ps->add_flag("-a,--all", flags->all, "those that do not run, too");
  ps->add_flag("-q,--quiet", flags->quiet, "only ids");
  ps->add_flag("--services", flags->services, "only the names of services");
  ps->add_option("--status", flags->states, "only in that state (repeatable)")->allow_extra_args(false);
  ps->add_option("--format", flags->format, "table (default) or json")->check(CLI::IsMember({"table", "json"}));
  ps->add_option("SERVICE", flags->names, "none: all");
  ps->callback([line, flags] {
    line.chosen = [&globals = line.globals, flags] {
      if (globals.json) flags->format = "json";
      return print_units(globals, *flags);
    };
  });
}

}  // namespace devstack
