#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/base/async/clock.h"
#include "core/docker/client.h"
#include "core/health/check_probe.h"
#include "core/registry/registry.h"

/// Carries out the checks that were registered with the agent of the own node: HTTP, TCP, script, Docker, gRPC, HTTP/2
/// ping and alias; and removes services whose checks stay critical for too long, TTL checks among them. It follows the
/// registry and posts UpdateCheckCommand and DeregisterCommand; whoever registers a check need not tell it.
///
/// A check's run costs nothing until it is due: one timer serves them all, at most `probes_at_once` run at a time, one
/// for each check. A new check, or one whose definition changed, is first run within 1.5 s, again within its interval
/// (see schedule.h) and then at its interval; one that is registered again unchanged keeps its status, its counters and
/// its rhythm; a removed one's probe is cancelled. What the database brings back after a restart of the program goes
/// on. https://developer.hashicorp.com/consul/docs/services/usage/checks
namespace devstack::health {

struct CheckRunnerOptions {
  /// Whether script and Docker checks may run commands. Without it they keep their status, and their output says why.
  bool enable_scripts = false;
  /// For Docker checks; without it $DOCKER_HOST or the usual socket.
  std::optional<docker::Client> engine;
  /// What scripts see as their environment; without it that of this program.
  std::optional<std::map<std::string, std::string>> environment;
  std::size_t probes_at_once = 256;
  /// Instead of the real probes, for tests.
  std::function<asio::awaitable<CheckResult>(CheckPtr)> probe;
  /// Instead of chance, for tests: [0, 1).
  std::function<double()> chance;
};

/// Made on the loop by the composition root; call stop() before destruction.
class CheckRunner {
 public:
  /// `view`, `writer` and `clock` outlive it.
  CheckRunner(asio::any_io_executor loop, registry::RegistryView& view, registry::RegistryWriter& writer,
              CheckRunnerOptions options = {}, Clock& clock = steady_clock());
  ~CheckRunner();
  /// Loop. May be called again after stop().
  void start();
  /// Loop. Cancels what runs.
  asio::awaitable<void> stop();

  struct Stats {
    std::size_t scheduled = 0;  ///< checks that are run now and then; aliases are not
    std::size_t running = 0;    ///< probes under way
    std::uint64_t probes = 0;   ///< probes that came to a result, since it was made
  };
  /// Loop.
  [[nodiscard]] Stats stats() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace devstack::health
