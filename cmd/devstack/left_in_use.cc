#include "cmd/devstack/left_in_use.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/terminal.h"
#include "core/base/append.h"
#include "core/docker/client.h"
#include "core/supervisor/container_spec.h"

namespace devstack {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kMostNamed = 10;

asio::awaitable<std::string> names_of(docker::Client& client, std::vector<std::string> ids) {
  std::string names;
  for (std::size_t at = 0; at < std::min(ids.size(), kMostNamed); ++at) {
    const auto container = co_await client.inspect_container(ids[at]);
    append_part(names, container ? container->name : ids[at].substr(0, 12), ", ");
  }
  if (ids.size() > kMostNamed) names += fmt::format(" and {} more", ids.size() - kMostNamed);
  co_return names;
}

asio::awaitable<Result<std::vector<std::string>>> left_in_use(std::string project, bool volumes) {
  std::vector<std::string> lines;
  const std::vector<std::string> ours{fmt::format("{}={}", supervisor::label::project, project)};
  CO_TRY(auto client, docker::Client::connect_to());
  CO_TRY(const auto networks, co_await client.list_networks(ours));
  for (const auto& network : networks) {
    const auto found = co_await client.inspect_network(network.id);
    if (!found || found->containers.empty()) continue;
    const auto names = co_await names_of(client, found->containers);
    lines.push_back(fmt::format("the network {} stays: it is used by {}", network.name, names));
  }
  if (!volumes) co_return lines;
  CO_TRY(const auto kept, co_await client.list_volumes(ours));
  for (const auto& volume : kept) {
    lines.push_back(fmt::format("the volume {} stays: a container uses it", volume.name));
  }
  co_return lines;
}

}  // namespace

void warn_of_what_is_in_use(const std::string& project, bool volumes) {
  const auto left = run_blocking(left_in_use(project, volumes));
  if (!left || left->empty()) return;
  for (const auto& line : *left) terminal::complain("warning: " + line);
  terminal::complain("`devstack down --remove-orphans` removes containers of `run` and of other programs, too");
}

}  // namespace devstack
