#include <fmt/format.h>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/project_choice.h"
#include "core/docker/client.h"

namespace devstack {
namespace {

struct PortOptions {
  std::string project;  ///< as ProjectClient takes it
  std::string service;
  std::string port, protocol;
  int index = 0;
};

/// Compose's `port`: where the published port of an instance is.
asio::awaitable<Result<std::string>> published(PortOptions options) {
  CO_TRY(auto wanted, docker::parse_container_port(options.port));
  if (!options.protocol.empty()) wanted.protocol = options.protocol;
  const ProjectClient stack(options.project);
  CO_TRY(const auto unit, co_await stack.unit(options.service, options.index));
  if (unit.type != supervisor::UnitType::container) {
    co_return fail(Errc::failed, "{} is a host process: it listens on {}", options.service,
                   unit.addresses.empty() ? "no port" : unit.addresses.front());
  }
  CO_TRY(auto engine, docker::Client::connect_to());
  CO_TRY(const auto container, co_await engine.inspect_container(unit.id));
  const auto found = container.ports.find(wanted);
  if (found == container.ports.end() || found->second.empty()) {
    co_return fail(Errc::not_found, "{} does not publish {}", options.service, docker::to_string(wanted));
  }
  std::string lines;
  for (const auto& binding : found->second) lines += fmt::format("{}:{}\n", binding.host_ip, binding.host_port);
  co_return lines;
}

}  // namespace

void add_port(CommandLine line) {
  auto* command = line.cli.add_subcommand("port", "where a container's port is published");
  auto options = std::make_shared<PortOptions>();
  command->add_option("SERVICE", options->service)->required();
  command->add_option("PORT", options->port, "the container's port: 5432 or 53/udp")->required();
  command->add_option("--protocol", options->protocol, "tcp or udp")->check(CLI::IsMember({"tcp", "udp"}));
  command->add_option("--index", options->index, "which instance (default: the first that runs)");
  command->callback([line, options] {
    line.chosen = [&globals = line.globals, options] {
      options->project = named_project(globals);
      const auto lines = run_blocking(published(*options));
      if (!lines) return report(lines.error());
      fmt::print("{}", *lines);
      return 0;
    };
  });
}

}  // namespace devstack
