#include <fmt/format.h>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/project_choice.h"
#include "core/control/client.h"

namespace devstack {
namespace {

int act(const Globals& globals, control::UnitAction action, const std::vector<std::string>& names) {
  const control::ControlClient client(state_dir());
  const auto status = run_blocking(client.status());
  if (!status) return report(status.error());
  const auto project = named_project(globals);
  for (const auto& name : names) {
    const auto done = run_blocking(client.unit_action(action, unit_in(*status, project, name)));
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
    command->callback([line, action = action, names] {
      line.chosen = [&globals = line.globals, action, names] { return act(globals, action, *names); };
    });
  }
}

}  // namespace devstack
