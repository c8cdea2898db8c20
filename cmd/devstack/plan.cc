#include "cmd/devstack/plan.h"

#include <fmt/format.h>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/terminal.h"
#include "cmd/devstack/up_flags.h"
#include "core/control/client.h"
#include "core/docker/client.h"

namespace devstack {
namespace {

/// Whether stand-ins would run: asked for only when no supervisor knows.
stack::EngineAvailable engine_available() {
  const auto probe = []() -> asio::awaitable<Result<docker::EngineInfo>> {
    CO_TRY(auto client, docker::Client::connect_to());
    co_return co_await client.negotiate();
  };
  return run_blocking(probe()) ? stack::EngineAvailable::yes : stack::EngineAvailable::no;
}

Result<std::string> changes_here(const Globals& globals, const UpChoice& choice) {
  auto load = load_options(globals);
  load.targets = choice.how.services;  // naming a service activates its profiles
  const control::ControlClient client(state_dir());
  if (run_blocking(client.is_running())) return run_blocking(client.plan(up_request(load, choice)));
  TRY(auto file, stack::load(load));
  for (const auto& warning : file.warnings) terminal::complain(warning);
  TRY(const auto plan, chosen_plan({}, file, choice, engine_available()));
  return changes_json(file.project, false, unit_changes({}, plan, choice.how, {}));
}

}  // namespace

int print_changes(const Globals& globals, const UpChoice& choice, Explained explained) {
  const auto text = changes_here(globals, choice);
  if (!text) return report(text.error());
  if (globals.json) {
    fmt::print("{}\n", *text);
    return 0;
  }
  const auto changes = changes_from_json(*text);
  if (!changes) return report(changes.error());
  fmt::print("{}", changes_text(*changes, explained));
  return 0;
}

void add_plan(CommandLine line) {
  auto* command = line.cli.add_subcommand("plan", "what `up` would do to each service, and why");
  auto flags = std::make_shared<UpFlags>();
  auto explain = std::make_shared<bool>(false);
  add_up_flags(*command, flags);
  command->add_flag("--explain", *explain, "under each, the keys that changed, with old and new value");
  command->callback([line, flags, explain] {
    line.chosen = [&globals = line.globals, flags, explain] {
      const auto choice = choice_of(*flags);
      if (!choice) return report(choice.error());
      return print_changes(globals, *choice, *explain ? Explained::yes : Explained::no);
    };
  });
}

}  // namespace devstack
