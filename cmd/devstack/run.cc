#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <random>

#include "cmd/devstack/app_parts.h"
#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/conversation.h"
#include "cmd/devstack/daemon.h"
#include "cmd/devstack/engine_work.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/service_units.h"
#include "cmd/devstack/settle.h"
#include "cmd/devstack/up_choice.h"
#include "core/base/append.h"
#include "core/control/client.h"
#include "core/docker/exec_session.h"
#include "core/process/child.h"
#include "core/supervisor/process_spec.h"

namespace devstack {
namespace {

using namespace std::chrono_literals;
constexpr auto kDependenciesLimit = 120s;

struct RunFlags {
  std::string service;
  std::vector<std::string> command, env, publish, volumes;
  bool remove = false, no_deps = false, service_ports = false, no_tty = false, detach = false, build = false;
  std::string name, entrypoint, user, working_dir;
};

/// The service as the one-off container or process is made from it.
Result<stack::PlannedUnit> one_off_unit(const stack::Plan& plan, const RunFlags& flags) {
  const stack::PlannedUnit* found = nullptr;
  std::string known;
  for (const auto& unit : plan.units) {
    if (unit.service == flags.service && found == nullptr) found = &unit;
    append_part(known, unit.service, ", ");
  }
  if (found == nullptr) return fail(Errc::not_found, "no service \"{}\": there are {}", flags.service, known);
  auto unit = *found;
  auto& spec = unit.spec;
  if (!flags.command.empty()) {
    spec.command = flags.command;
    spec.no_command = false;
    if (unit.kind == stack::UnitKind::process) {
      if (!spec.process) spec.process.emplace();
      spec.process->command = flags.command;
    }
  }
  if (!flags.entrypoint.empty()) {
    TRY(spec.entrypoint, process::split_words(flags.entrypoint));
    // The image's own command belongs to its entrypoint.
    if (flags.command.empty()) spec.no_command = true;
  }
  TRY(const auto env, variables_of(flags.env));
  for (const auto& [name, value] : env) spec.environment[name] = value;
  if (!flags.user.empty()) spec.user = flags.user;
  if (!flags.working_dir.empty()) spec.working_dir = flags.working_dir;
  if (!flags.service_ports) spec.ports.clear();
  return unit;
}

/// "8080:80", "127.0.0.1:8080:80/udp", "80": as `docker run -p`.
Result<void> publish(docker::ContainerSpec& spec, const std::string& text) {
  const auto last = text.rfind(':');
  TRY(const auto port, docker::parse_container_port(last == std::string::npos ? text : text.substr(last + 1)));
  docker::PortBinding binding;
  if (last != std::string::npos) {
    const auto host = text.substr(0, last);
    const auto colon = host.rfind(':');
    TRY(const auto number, docker::parse_container_port(colon == std::string::npos ? host : host.substr(colon + 1)));
    binding.host_port = number.port;
    if (colon != std::string::npos) binding.host_ip = host.substr(0, colon);
  }
  spec.exposed_ports.push_back(port);
  spec.port_bindings[port].push_back(std::move(binding));
  return {};
}

std::string random_slug() {
  std::random_device random;
  return fmt::format("{:08x}{:04x}", random(), random() & 0xFFFFU);
}

Result<docker::ContainerSpec> one_off_spec(docker::ContainerSpec spec, const RunFlags& flags,
                                           const std::string& project, bool tty) {
  const auto slug = random_slug();
  spec.name = flags.name.empty() ? fmt::format("{}-{}-run-{}", project, flags.service, slug) : flags.name;
  spec.labels[supervisor::label::one_off] = "True";
  spec.labels["com.docker.compose.slug"] = slug;
  spec.tty = tty;
  // Once: the end of our input is the end of the command's.
  spec.stdin_open = spec.stdin_once = !flags.detach;
  for (const auto& text : flags.publish) CHECK(publish(spec, text));
  for (const auto& text : flags.volumes) spec.binds.push_back(text);
  return spec;
}

/// Replaces this program by the service's, in its folder and with its environment: its exit code is ours.
Error run_process(const stack::PlannedUnit& unit, const stack::StackFile& file) {
  supervisor::ProcessContext context;
  context.project = file.project;
  context.project_dir = file.project_dir;
  context.path = supervisor_options(file, state_dir()).process_path;
  context.inherited = supervisor::inherited_environment();
  const auto spec = supervisor::process_spec(unit, context, unit.spec.process ? unit.spec.process->port : 0);
  if (spec.argv.empty()) return Error{Errc::invalid_argument, "the service has no command"};
  if (chdir(spec.working_dir.c_str()) != 0) {
    return Error{Errc::not_found, fmt::format("{}: {}", spec.working_dir, std::strerror(errno))};
  }
  const auto program = process::find_program(spec.argv[0], context.path);
  if (!program) return Error{Errc::not_found, fmt::format("{}: command not found", spec.argv[0])};
  std::vector<std::string> env;
  for (const auto& [name, value] : spec.env) env.push_back(name + "=" + value);
  if (const char* term = std::getenv("TERM")) env.push_back(std::string("TERM=") + term);
  std::vector<char*> argv;
  std::vector<char*> envp;
  for (const auto& word : spec.argv) argv.push_back(const_cast<char*>(word.c_str()));
  for (const auto& word : env) envp.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  execve(program->c_str(), argv.data(), envp.data());
  return Error{Errc::io, fmt::format("{}: {}", *program, std::strerror(errno))};
}

/// What the service depends on runs, and is healthy, before it does.
Result<void> start_dependencies(const Globals& globals, const stack::StackFile& file, const stack::PlannedUnit& unit) {
  UpChoice choice;
  for (const auto& dependency : unit.spec.depends_on) choice.how.services.push_back(dependency.service);
  if (choice.how.services.empty()) return {};
  const control::ControlClient client(state_dir());
  if (run_blocking(client.is_running())) {
    TRY([[maybe_unused]] const auto said, run_blocking(client.apply(up_request(load_options(globals), choice))));
  } else {
    CHECK(start_in_background(globals, file, choice));
  }
  auto running = run_blocking(wait_running(file.project, choice.how.services, kDependenciesLimit));
  if (running) return {};
  return tl::unexpected(std::move(running).error().with_context("what the service needs does not run"));
}

asio::awaitable<Result<int>> run_container(EngineWork& work, stack::PlannedUnit unit, RunFlags flags) {
  const bool tty = !flags.no_tty && !flags.detach && stdin_is_terminal();
  CO_TRY(auto made, co_await work.container(unit));
  CO_TRY(auto spec, one_off_spec(std::move(made), flags, work.project(), tty));
  auto& client = work.client();
  const auto name = spec.name;
  CO_TRY(const auto id, co_await client.create_container(std::move(spec)));
  if (flags.detach) {
    CO_CHECK(co_await client.start_container(id));
    fmt::print("{}\n", name);
    co_return 0;
  }
  // Attached before it starts: nothing that it prints is missed.
  CO_TRY(const auto session, co_await docker::Session::attach(client, id, true));
  auto started = co_await client.start_container(id);
  Result<int> code = 1;
  if (started) {
    int signals = 0;
    ConversationOptions how;
    how.tty = tty;
    how.input = true;
    how.on_signal = [&](int number) -> asio::awaitable<void> {
      // The first is the command's to take; who asks twice means it.
      std::string signal = signals++ > 0 ? "KILL" : std::to_string(number);
      auto ignored = co_await client.kill_container(id, std::move(signal));
    };
    code = co_await converse(*session, how);
  } else {
    code = tl::unexpected(started.error());
  }
  if (flags.remove || !started) (void)co_await client.remove_container(id, true, true);
  co_return code;
}

Result<int> run(const Globals& globals, const RunFlags& flags) {
  TRY(auto file, stack::load(load_options(globals)));
  for (auto& [name, service] : file.services) service.scale = std::max(service.scale, 1);
  EngineWork work(file);
  TRY(const auto plan, stack::make_plan(file, work.available()));
  TRY(const auto unit, one_off_unit(plan, flags));
  if (!flags.no_deps) CHECK(start_dependencies(globals, file, unit));
  if (unit.kind == stack::UnitKind::process) return tl::unexpected(run_process(unit, file));
  supervisor::ApplyOptions how;
  how.build = flags.build;
  return work.run([&](EngineWork& ready) { return run_container(ready, unit, flags); }, plan, how);
}

}  // namespace

void add_run(CommandLine line) {
  auto* command = line.cli.add_subcommand("run", "run a command once, as a service is run");
  auto flags = std::make_shared<RunFlags>();
  command->add_flag("--rm", flags->remove, "remove the container when it has ended");
  command->add_flag("-d,--detach", flags->detach, "do not wait for it; print its name");
  command->add_flag("-T,--no-TTY", flags->no_tty, "no terminal, though there is one here");
  command->add_flag("--no-deps", flags->no_deps, "do not start what the service depends on");
  command->add_flag("--service-ports", flags->service_ports, "publish the service's ports");
  command->add_flag("--build", flags->build, "build its image first");
  command->add_option("-p,--publish", flags->publish, "publish a port: [[IP:]HOST:]CONTAINER[/PROTOCOL]")
      ->allow_extra_args(false);
  command->add_option("-v,--volume", flags->volumes, "mount: SOURCE:TARGET[:ro]")->allow_extra_args(false);
  command->add_option("-e,--env", flags->env, "NAME=VALUE, or NAME for the value here")->allow_extra_args(false);
  command->add_option("--name", flags->name, "of the container");
  command->add_option("--entrypoint", flags->entrypoint, "instead of the service's");
  command->add_option("-u,--user", flags->user, "as that user");
  command->add_option("-w,--workdir", flags->working_dir, "in that folder");
  command->add_option("SERVICE", flags->service)->required();
  command->add_option("COMMAND", flags->command, "instead of the service's, and its arguments");
  command->callback([line, flags] {
    line.chosen = [&globals = line.globals, flags] {
      const auto code = run(globals, *flags);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace devstack
