#include <fmt/format.h>

#include "cmd/devstack/command.h"
#include "cmd/devstack/terminal.h"

namespace devstack {
namespace {

int print_config(const Globals& globals, const std::string& format) {
  const auto file = stack::load(load_options(globals));
  if (!file) return report(file.error());
  for (const auto& warning : file->warnings) terminal::complain(warning);
  fmt::print("{}\n", format == "json" || globals.json ? stack::to_json(*file) : stack::to_yaml(*file));
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
}

}  // namespace devstack
