#include <fmt/format.h>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/conversation.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/project_choice.h"
#include "core/docker/exec_session.h"

namespace devstack {
namespace {

struct ExecFlags {
  std::string project;  ///< as ProjectClient takes it
  std::string service;
  std::vector<std::string> command, env;
  bool no_tty = false, detach = false, privileged = false;
  std::string user, working_dir;
  int index = 0;
};

asio::awaitable<Result<int>> exec(ExecFlags flags) {
  const ProjectClient stack(flags.project);
  CO_TRY(const auto unit, co_await stack.container(flags.service, flags.index));
  docker::ExecOptions options;
  options.argv = flags.command;
  options.tty = !flags.no_tty && !flags.detach && stdin_is_terminal();
  options.input = !flags.detach;
  options.detach = flags.detach;
  options.privileged = flags.privileged;
  options.user = flags.user;
  options.working_dir = flags.working_dir;
  CO_TRY(options.env, variables_of(flags.env));
  ConversationOptions how;
  how.tty = options.tty;
  how.input = options.input;
  CO_TRY(auto client, docker::Client::connect_to());
  CO_TRY(const auto session, co_await docker::Session::exec(std::move(client), unit.id, std::move(options)));
  if (flags.detach) co_return 0;
  co_return co_await converse(*session, how);
}

}  // namespace

Result<std::map<std::string, std::string>> variables_of(const std::vector<std::string>& words) {
  std::map<std::string, std::string> out;
  const auto ours = environment();
  for (const auto& word : words) {
    const auto equals = word.find('=');
    if (equals == 0 || word.empty()) return fail(Errc::usage, "-e \"{}\": write NAME=VALUE, or NAME for ours", word);
    if (equals != std::string::npos) {
      out[word.substr(0, equals)] = word.substr(equals + 1);
    } else if (const auto known = ours.find(word); known != ours.end()) {
      out[word] = known->second;
    }
  }
  return out;
}

void add_exec(CommandLine line) {
  auto* command = line.cli.add_subcommand("exec", "run a command in a container of a service");
  auto flags = std::make_shared<ExecFlags>();
  command->add_flag("-T,--no-tty", flags->no_tty, "no terminal, though there is one here");
  command->add_flag("-d,--detach", flags->detach, "do not wait for it");
  command->add_option("-e,--env", flags->env, "NAME=VALUE, or NAME for the value here")->allow_extra_args(false);
  command->add_option("--index", flags->index, "which instance (default: the first that runs)");
  command->add_flag("--privileged", flags->privileged, "with all rights");
  command->add_option("-u,--user", flags->user, "as that user");
  command->add_option("-w,--workdir", flags->working_dir, "in that folder of the container");
  command->add_option("SERVICE", flags->service)->required();
  command->add_option("COMMAND", flags->command, "and its arguments")->required();
  command->callback([line, flags] {
    line.chosen = [&globals = line.globals, flags] {
      flags->project = named_project(globals);
      const auto code = run_blocking(exec(*flags));
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace devstack
