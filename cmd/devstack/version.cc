#include <fmt/format.h>

#include "cmd/devstack/command.h"

namespace devstack {

void add_version(CommandLine line) {
  auto* command = line.cli.add_subcommand("version", "print the version");
  command->callback([line] {
    line.chosen = [&globals = line.globals] {
      if (globals.json) {
        fmt::print("{{\"version\":\"{}\"}}\n", DEVSTACK_VERSION);
      } else {
        fmt::print("devstack {}\n", DEVSTACK_VERSION);
      }
      return 0;
    };
  });
}

}  // namespace devstack
