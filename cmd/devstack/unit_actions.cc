// start, stop, restart, kill, rm, scale: what changes single services of the running stack.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <iostream>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/project_choice.h"
#include "cmd/devstack/settle.h"
#include "cmd/devstack/terminal.h"
#include "cmd/devstack/up_choice.h"
#include "core/control/client.h"
#include "core/process/child.h"
#include "core/stack/explain.h"

namespace devstack {
namespace {

using control::UnitAction;
using control::UnitOrder;
using supervisor::UnitState;

struct ActionFlags {
  std::string project;  ///< as ProjectClient takes it
  std::vector<std::string> services;
  int timeout = -1;
  bool no_deps = false;
  std::string signal = "SIGKILL";
  bool force = false, stop = false, volumes = false;
};
using FlagsPtr = std::shared_ptr<ActionFlags>;

const char* done_word(UnitAction action) {
  switch (action) {
    case UnitAction::start:
      return "started";
    case UnitAction::stop:
      return "stopped";
    case UnitAction::restart:
      return "restarted";
    case UnitAction::pause:
      return "paused";
    case UnitAction::unpause:
      return "unpaused";
    case UnitAction::kill:
      return "killed";
    case UnitAction::remove:
      break;
  }
  return "removed";
}

bool may_run(UnitState state) {
  return state == UnitState::starting || state == UnitState::running || state == UnitState::unhealthy ||
         state == UnitState::paused || state == UnitState::backoff || state == UnitState::stopping ||
         state == UnitState::waiting;
}

/// Whether an order that is given to all of the stack is about this one too.
bool concerned(const supervisor::UnitStatus& unit, UnitAction action) {
  const bool runs = unit.state == UnitState::running || unit.state == UnitState::unhealthy ||
                    (unit.state == UnitState::starting && unit.started_at != 0);
  if (action == UnitAction::pause) return runs;
  return action != UnitAction::unpause || unit.state == UnitState::paused;
}

/// The services of the stack, dependencies first.
std::vector<std::string> services_of(const supervisor::Status& status, UnitAction action) {
  std::vector<std::string> out;
  for (const auto& unit : status.services) {
    if (!concerned(unit, action)) continue;
    if (std::find(out.begin(), out.end(), unit.service) == out.end()) out.push_back(unit.service);
  }
  return out;
}

/// What is named, or all; what goes down, dependents first.
asio::awaitable<Result<std::vector<std::string>>> targets(UnitAction action, ActionFlags flags) {
  if (!flags.services.empty()) co_return flags.services;
  const ProjectClient client(flags.project);
  CO_TRY(const auto status, co_await client.status());
  auto all = services_of(status, action);
  if (action != UnitAction::start && action != UnitAction::unpause) std::reverse(all.begin(), all.end());
  co_return all;
}

/// As one order: what is named and restarts with another that is named, too, is restarted once.
asio::awaitable<Result<void>> restart_named(ActionFlags flags) {
  const ProjectClient client(flags.project);
  UnitOrder order;
  order.action = UnitAction::restart;
  order.name = fmt::format("{}", fmt::join(flags.services, ","));
  if (flags.no_deps) order.restart = supervisor::Restart::alone;
  if (flags.timeout >= 0) order.grace = std::chrono::seconds(flags.timeout);
  CO_CHECK(co_await client.carry_out(std::move(order)));
  for (const auto& name : flags.services) fmt::print("{} restarted\n", name);
  co_return Result<void>();
}

asio::awaitable<Result<void>> carry_out(UnitAction action, ActionFlags flags) {
  if (action == UnitAction::restart && !flags.services.empty()) co_return co_await restart_named(std::move(flags));
  const ProjectClient client(flags.project);
  CO_TRY(const auto names, co_await targets(action, flags));
  // Stopped together and then started in their order: a dependency is never restarted under who needs it.
  const bool all_again = action == UnitAction::restart;
  for (const auto& name : names) {
    UnitOrder order;
    order.action = all_again ? UnitAction::stop : action;
    order.name = name;
    order.signal = flags.signal;
    if (flags.timeout >= 0) order.grace = std::chrono::seconds(flags.timeout);
    CO_CHECK(co_await client.carry_out(std::move(order)));
    const bool only_told = action == UnitAction::kill && process::parse_signal(flags.signal) != SIGKILL;
    if (only_told) fmt::print("{} has been sent {}\n", name, flags.signal);
    if (!only_told && !all_again) fmt::print("{} {}\n", name, done_word(action));
  }
  for (auto name = names.rbegin(); all_again && name != names.rend(); ++name) {
    UnitOrder order;
    order.action = UnitAction::start;
    order.name = *name;
    CO_CHECK(co_await client.carry_out(std::move(order)));
    fmt::print("{} {}\n", *name, done_word(action));
  }
  co_return Result<void>();
}

int act(UnitAction action, const ActionFlags& flags) {
  const auto done = run_blocking(carry_out(action, flags));
  return done ? 0 : report(done.error());
}

/// Units of the named services that do not run, or with `stop` all of them; dependents first.
asio::awaitable<Result<std::vector<supervisor::UnitStatus>>> removable(ActionFlags flags) {
  const ProjectClient client(flags.project);
  CO_TRY(auto units, co_await client.units(flags.services));
  std::erase_if(units, [&](const auto& unit) { return !flags.stop && may_run(unit.state); });
  std::reverse(units.begin(), units.end());
  co_return units;
}

asio::awaitable<Result<void>> remove_units(std::string project, std::vector<supervisor::UnitStatus> units,
                                           bool volumes) {
  const ProjectClient client(std::move(project));
  for (const auto& unit : units) {
    UnitOrder order;
    order.name = unit.name;
    order.volumes = volumes;
    if (may_run(unit.state)) CO_CHECK(co_await client.carry_out(order));
    order.action = UnitAction::remove;
    CO_CHECK(co_await client.carry_out(order));
    fmt::print("{} removed\n", unit.name);
  }
  co_return Result<void>();
}

int remove(const ActionFlags& flags) {
  const auto units = run_blocking(removable(flags));
  if (!units) return report(units.error());
  if (units->empty()) {
    fmt::print("nothing to remove: no service is stopped\n");
    return 0;
  }
  if (!flags.force) {
    std::string names;
    for (const auto& unit : *units) names += " " + unit.name;
    fmt::print("going to remove{}\nare you sure? [yN] ", names);
    std::fflush(stdout);
    std::string answer;
    std::getline(std::cin, answer);
    if (!answer.starts_with('y') && !answer.starts_with('Y')) return 0;
  }
  const auto done = run_blocking(remove_units(flags.project, *units, flags.volumes));
  return done ? 0 : report(done.error());
}

struct ScaleFlags {
  std::vector<std::string> counts;
  bool no_deps = false;
  WaitFlags wait;
};

/// What changes, in words, once it is begun; the project in `what`.
asio::awaitable<Result<std::string>> apply(UpChoice choice, std::string named, Awaited& what) {
  const control::ControlClient client(state_dir());
  CO_TRY(const auto status, co_await client.status());
  CO_TRY(what.project, choose_project(project_names(status), named));
  co_return co_await client.apply(choice_request(choice, what.project));
}

int scale(const Globals& globals, const ScaleFlags& flags) {
  const auto limit = wait_limit(flags.wait);
  if (!limit) return report(limit.error());
  Awaited what;
  what.deadline = std::chrono::steady_clock::now() + *limit;
  UpChoice choice;
  for (const auto& text : flags.counts) {
    const auto one = stack::parse_scale(text);
    if (!one) return report(one.error());
    choice.scale[one->first] = one->second;
    choice.how.services.push_back(one->first);
  }
  choice.how.no_deps = flags.no_deps;
  what.services = choice.how.services;
  const auto changes = run_blocking(apply(choice, named_project(globals), what));
  if (!changes) return report(changes.error());
  fmt::print("{}\n", changes->empty() ? "nothing changed" : *changes);
  if (flags.wait.no_wait) return 0;
  const auto settled = run_blocking(wait_settled(control::ControlClient(state_dir()), what));
  return settled ? 0 : report(settled.error());
}

CLI::App* add_action(CommandLine line, UnitAction action, const char* help, const FlagsPtr& flags) {
  auto* command = line.cli.add_subcommand(std::string(control::to_string(action)), help);
  command->add_option("SERVICE", flags->services, "services or units; none: all of the stack");
  command->callback([line, action, flags] {
    line.chosen = [&globals = line.globals, action, flags] {
      flags->project = named_project(globals);
      return act(action, *flags);
    };
  });
  return command;
}

void add_timeout(CLI::App& command, const FlagsPtr& flags) {
  command.add_option("-t,--timeout", flags->timeout, "seconds one may take to stop (default: its own grace)");
}

}  // namespace

void add_unit_actions(CommandLine line) {
  const auto fresh = [] { return std::make_shared<ActionFlags>(); };
  add_action(line, UnitAction::start, "start stopped services", fresh());
  auto flags = fresh();
  add_timeout(*add_action(line, UnitAction::stop, "stop services, the rest of the stack runs on", flags), flags);
  flags = fresh();
  auto* restart = add_action(line, UnitAction::restart, "stop and start services", flags);
  add_timeout(*restart, flags);
  restart->add_flag("--no-deps", flags->no_deps, "not what depends on them with restart: true");
  add_action(line, UnitAction::pause, "hold services where they are: containers by the engine, processes by SIGSTOP",
             fresh());
  add_action(line, UnitAction::unpause, "let paused services go on", fresh());
  flags = fresh();
  auto* kill = add_action(line, UnitAction::kill, "send a signal to services", flags);
  kill->add_option("-s,--signal", flags->signal, "HUP, SIGUSR1, 9 (default SIGKILL, which stops them for good)");

  flags = fresh();
  auto* rm = line.cli.add_subcommand("rm", "remove the containers of stopped services");
  rm->add_option("SERVICE", flags->services, "services or units; none: all that are stopped");
  rm->add_flag("-f,--force", flags->force, "do not ask");
  rm->add_flag("-s,--stop", flags->stop, "stop what runs first");
  rm->add_flag("-v,--volumes", flags->volumes, "their anonymous volumes, too");
  rm->callback([line, flags] {
    line.chosen = [&globals = line.globals, flags] {
      flags->project = named_project(globals);
      return remove(*flags);
    };
  });

  auto scaling = std::make_shared<ScaleFlags>();
  auto* command = line.cli.add_subcommand("scale", "so many instances of services, until the next up");
  command->add_option("COUNT", scaling->counts, "SERVICE=N, as worker=3")->required();
  command->add_flag("--no-deps", scaling->no_deps, "do not start what they depend on");
  add_wait_flags(*command, scaling->wait);
  command->callback(
      [line, scaling] { line.chosen = [&globals = line.globals, scaling] { return scale(globals, *scaling); }; });
}

}  // namespace devstack
