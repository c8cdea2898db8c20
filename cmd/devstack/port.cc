#include <fmt/format.h>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/paths.h"
#include "core/control/client.h"
#include "core/docker/client.h"

namespace devstack {
namespace {

struct PortOptions {
  std::string service;
  std::string port;
};

/// Compose's `port`: where the published port of the first instance is.
asio::awaitable<Result<std::string>> published(PortOptions options) {
  CO_TRY(const auto wanted, docker::parse_container_port(options.port));
  const control::ControlClient control(state_dir());
  CO_TRY(const auto status, co_await control.status());
  CO_TRY(auto engine, docker::Client::connect_to());
  for (const auto& unit : status.services) {
    if (unit.name != options.service && unit.service != options.service) continue;
    if (unit.type != supervisor::UnitType::container) {
      co_return fail(Errc::failed, "{} is a host process: it listens on {}", options.service,
                     unit.addresses.empty() ? "no port" : unit.addresses.front());
    }
    CO_TRY(const auto container, co_await engine.inspect_container(unit.id));
    const auto found = container.ports.find(wanted);
    if (found == container.ports.end() || found->second.empty()) {
      co_return fail(Errc::not_found, "{} does not publish {}", options.service, docker::to_string(wanted));
    }
    std::string lines;
    for (const auto& binding : found->second) lines += fmt::format("{}:{}\n", binding.host_ip, binding.host_port);
    co_return lines;
  }
  co_return fail(Errc::not_found, "no service \"{}\" in {}", options.service, status.project);
}

}  // namespace

void add_port(CommandLine line) {
  auto* command = line.cli.add_subcommand("port", "where a container's port is published");
  auto options = std::make_shared<PortOptions>();
  command->add_option("SERVICE", options->service)->required();
  command->add_option("PORT", options->port, "the container's port: 5432 or 53/udp")->required();
  command->callback([line, options] {
    line.chosen = [options] {
      const auto lines = run_blocking(published(*options));
      if (!lines) return report(lines.error());
      fmt::print("{}", *lines);
      return 0;
    };
  });
}

}  // namespace devstack
