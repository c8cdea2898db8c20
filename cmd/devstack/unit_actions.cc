#include <fmt/format.h>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/paths.h"
#include "core/control/client.h"

namespace devstack {
namespace {

int act(control::UnitAction action, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    const control::ControlClient client(state_dir());
    const auto done = run_blocking(client.unit_action(action, name));
    if (!done) return report(done.error());
    fmt::print("{}: {} done\n", name, control::to_string(action));
  }
  return 0;
}

}  // namespace

void add_unit_actions(CommandLine line) {
  using control::UnitAction;
  const std::pair<UnitAction, const char*> actions[] = {
      {UnitAction::start, "start stopped services"},
      {UnitAction::stop, "stop services, the rest of the stack runs on"},
      {UnitAction::restart, "stop and start services"}};
  for (const auto& [action, help] : actions) {
    auto* command = line.cli.add_subcommand(std::string(control::to_string(action)), help);
    auto names = std::make_shared<std::vector<std::string>>();
    command->add_option("SERVICE", *names, "services or units")->required();
    command->callback(
        [line, action = action, names] { line.chosen = [action, names] { return act(action, *names); }; });
  }
}

}  // namespace devstack
