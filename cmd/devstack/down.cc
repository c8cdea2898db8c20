#include <fmt/format.h>
#include <signal.h>

#include <chrono>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/cleanup.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/terminal.h"
#include "core/base/async/clock.h"
#include "core/control/client.h"

namespace devstack {
namespace {

using namespace std::chrono_literals;

struct DownOptions {
  int timeout = -1;
};

/// The answer to `down` comes before the supervisor has ended: its sockets and its lock go with the process.
asio::awaitable<Result<void>> wait_ended(pid_t pid) {
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (kill(pid, 0) == 0) {
    if (std::chrono::steady_clock::now() >= deadline) {
      co_return fail(Errc::timeout, "the supervisor (pid {}) has not ended in 30 s", pid);
    }
    co_await steady_clock().sleep_for(10ms);
  }
  co_return Result<void>();
}

asio::awaitable<Result<std::string>> stop_running(control::ControlClient client,
                                                  std::optional<std::chrono::seconds> grace) {
  CO_TRY(const auto status, co_await client.status());
  CO_CHECK(co_await client.down(grace));
  CO_CHECK(co_await wait_ended(static_cast<pid_t>(status.pid)));
  co_return status.project;
}

int down(const Globals& globals, const DownOptions& options) {
  const StatePaths paths(state_dir());
  const control::ControlClient client(paths.root);
  std::optional<std::chrono::seconds> grace;
  if (options.timeout >= 0) grace = std::chrono::seconds(options.timeout);
  std::string project;
  if (run_blocking(client.is_running())) {
    const auto stopped = run_blocking(stop_running(client, grace));
    if (!stopped) return report(stopped.error());
    project = *stopped;
  } else {
    // A supervisor that was killed leaves its containers and processes behind: take them away without it.
    const auto cleaned = clean_up_after_crash(paths, grace);
    if (!cleaned) return report(cleaned.error());
    project = *cleaned;
  }
  if (!globals.json) fmt::print("{}\n", project.empty() ? "nothing runs here" : project + " is down");
  return 0;
}

}  // namespace

void add_down(CommandLine line) {
  auto* command = line.cli.add_subcommand("down", "stop everything and leave nothing behind but the registry's data");
  auto options = std::make_shared<DownOptions>();
  command->add_option("-t,--timeout", options->timeout,
                      "seconds a service may take to stop (default: its own grace period)");
  command->callback(
      [line, options] { line.chosen = [&globals = line.globals, options] { return down(globals, *options); }; });
}

}  // namespace devstack
