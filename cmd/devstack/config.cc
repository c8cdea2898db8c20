#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include "cmd/devstack/command.h"
#include "cmd/devstack/config_text.h"
#include "cmd/devstack/terminal.h"

namespace devstack {
namespace {

struct ConfigFlags {
  ConfigOptions options;
  stack::Texts services;
  std::string output;
  bool quiet = false;
};

Result<void> write_to(const std::string& path, const std::string& text) {
  if (path.empty()) return terminal::write(text);
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text << std::flush;
  if (!out) return fail(Errc::io, "cannot write {}: {}", path, std::strerror(errno));
  return {};
}

int print_config(const Globals& globals, const ConfigFlags& flags) {
  auto load = load_options(globals);
  load.targets = flags.services;
  auto options = flags.options;
  options.json = options.json || globals.json;
  const auto answer = config_text(load, options);
  if (!answer) return report(answer.error());
  for (const auto& warning : answer->warnings) terminal::complain(warning);
  if (flags.quiet) return 0;
  const auto written = write_to(flags.output, answer->text);
  return written ? 0 : report(written.error());
}

/// The questions that `config` answers: one at a time.
void add_questions(CLI::App& config, const std::shared_ptr<ConfigFlags>& flags) {
  using Ask = ConfigOptions::Ask;
  auto* questions = config.add_option_group("Instead of the stack");
  const auto ask = [&](const char* name, Ask what, const char* help) {
    questions->add_flag_callback(
        name, [flags, what] { flags->options.ask = what; }, help);
  };
  ask("--services", Ask::services, "the services' names, one a line");
  ask("--volumes", Ask::volumes, "the volumes' names");
  ask("--networks", Ask::networks, "the networks' names");
  ask("--images", Ask::images, "the images' names");
  ask("--profiles", Ask::profiles, "every profile's name");
  ask("--environment", Ask::environment, "what ${NAME} is filled in from");
  ask("--no-interpolate", Ask::merged, "the merged files with each ${NAME} as it is written");
  ask("--convert", Ask::converted, "a file of Compose's format 1 in today's form");
  ask("--schema", Ask::schema, "the JSON Schema of stack files, for editors");
  questions->add_option_function<std::string>(
      "--hash",
      [flags](const std::string& of) {
        flags->options.ask = Ask::hash;
        flags->options.hash_of = of;
      },
      "the hashes that decide whether a service is replaced: SERVICE,… or '*'");
  questions->add_option_function<std::string>(
      "--explain",
      [flags](const std::string& variable) {
        flags->options.ask = Ask::explain;
        flags->options.variable = variable;
      },
      "where the variable's value comes from, and every place that uses it");
  questions->require_option(0, 1);
}

}  // namespace

void add_config(CommandLine line) {
  auto* config = line.cli.add_subcommand("config", "print the stack as devstack understands it, from all its files");
  auto flags = std::make_shared<ConfigFlags>();
  config
      ->add_option_function<std::string>(
          "--format", [flags](const std::string& format) { flags->options.json = format == "json"; },
          "yaml (default) or json")
      ->check(CLI::IsMember({"yaml", "json"}));
  config->add_flag("-q,--quiet", flags->quiet, "only say what is wrong");
  config->add_option("-o,--output", flags->output, "write to this file");
  config->add_option("SERVICE", flags->services, "these services and what they depend on");
  add_questions(*config, flags);
  config->callback(
      [line, flags] { line.chosen = [&globals = line.globals, flags] { return print_config(globals, *flags); }; });
}

}  // namespace devstack
