#include "core/host/containers.h"

#include <algorithm>

namespace devstack::host {

asio::awaitable<std::vector<std::string>> containers_that_ask_only(std::vector<std::string> addresses,
                                                                   std::vector<std::string> daemon_dns,
                                                                   docker::Client engine) {
  constexpr std::size_t most = 500;
  std::vector<std::string> names;
  const auto running = co_await engine.list_containers(false);
  if (!running) co_return names;
  for (std::size_t i = 0; i < std::min(running->size(), most); ++i) {
    const auto container = co_await engine.inspect_container((*running)[i].id);
    if (!container || container->network_mode == "host" || container->network_mode == "none") continue;
    const auto& servers = container->dns.empty() ? daemon_dns : container->dns;
    const bool only = !servers.empty() && std::all_of(servers.begin(), servers.end(), [&](const std::string& server) {
      return std::find(addresses.begin(), addresses.end(), server) != addresses.end();
    });
    if (only) names.push_back(container->name);
  }
  std::sort(names.begin(), names.end());
  co_return names;
}

}  // namespace devstack::host
