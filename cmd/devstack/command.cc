#include "cmd/devstack/command.h"

#include <filesystem>

#include "cmd/devstack/exit_code.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/terminal.h"

namespace devstack {

stack::LoadOptions load_options(const Globals& globals) {
  stack::LoadOptions options;
  options.files = globals.files;
  options.cwd = std::filesystem::current_path().string();
  options.project = globals.project;
  options.environment = environment();
  return options;
}

int report(const Error& error) {
  // The errors of a stack file carry their own positions, a line each.
  terminal::complain(error.code == Errc::stack_file ? error.message : error.to_string());
  return exit_code(error.code);
}

}  // namespace devstack
