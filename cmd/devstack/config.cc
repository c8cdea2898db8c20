#include <fmt/format.h>

#include "cmd/devstack/command.h"
#include "cmd/devstack/terminal.h"
#include "core/stack/plan.h"

namespace devstack {
namespace {

int print_config(const Globals& globals, const std::string& format) {
  const auto file = stack::load(load_options(globals));
  if (!file) return report(file.error());
  for (const auto& warning : file->warnings) terminal::complain(warning);
  fmt::print("{}\n", format == "json" || globals.json ? stack::to_json(*file) : stack::to_yaml(*file));
  return 0;
}

int print_plan(const Globals& globals) {
  const auto file = stack::load(load_options(globals));
  if (!file) return report(file.error());
  const auto plan = stack::make_plan(*file, stack::EngineAvailable::yes);
  if (!plan) return report(plan.error());
  fmt::print("project {}, in the order of start:\n", plan->project);
  for (const auto& unit : plan->units) {
    std::string needs;
    for (const auto& dependency : unit.spec.depends_on) {
      needs += (needs.empty() ? ", after " : ", ") + dependency.service;
    }
    const bool container = unit.kind == stack::UnitKind::container;
    fmt::print("  {:<20} {}{}\n", unit.name,
               container ? "container of " + unit.spec.image : std::string("host process"), needs);
  }
  return 0;
}

}  // namespace

void add_config(CommandLine line) {
  auto* config = line.cli.add_subcommand("config", "print the stack file as devstack understands it");
  auto* format = config->add_option("--format", "yaml (default) or json")->check(CLI::IsMember({"yaml", "json"}));
  config->callback([line, format] {
    const std::string wanted = format->count() > 0 ? format->as<std::string>() : "yaml";
    line.chosen = [&globals = line.globals, wanted] { return print_config(globals, wanted); };
  });
  auto* plan = line.cli.add_subcommand("plan", "print what `up` would start, in order");
  plan->callback([line] { line.chosen = [&globals = line.globals] { return print_plan(globals); }; });
}

}  // namespace devstack
