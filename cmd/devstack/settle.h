#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "core/base/async/clock.h"
#include "core/base/result.h"
#include "core/control/client.h"
#include "core/supervisor/status.h"

/// The wait of the commands that promise that what they began runs when they return.
namespace devstack {

struct WaitFlags {
  bool no_wait = false;
  std::string timeout = "120s";
};

void add_wait_flags(CLI::App& command, WaitFlags& flags);
/// Errc::usage for what is no span of time.
Result<Instant::duration> wait_limit(const WaitFlags& flags);

/// What is waited for, and how long.
struct Awaited {
  std::string project;
  std::vector<std::string> services;  ///< none: all of the project
  bool no_start = false;              ///< it is enough that what does not run is made
  Instant deadline;
  bool quiet = false;  ///< does not say each unit when it settles
};

/// Asks the supervisor until all that is waited for runs, and is healthy where it can tell. Errc::failed where
/// something will not, Errc::unhealthy when time is up: both say what and why. Main thread.
asio::awaitable<Result<supervisor::Status>> wait_settled(control::ControlClient client, Awaited what);

/// Of these services of a project alone, whatever becomes of components: until all instances run and are healthy, or
/// have completed. Errc::failed as soon as one has failed ("web: why"), unhealthy when `limit` has passed; else as
/// ControlClient::watch(). Main thread.
asio::awaitable<Result<void>> wait_running(std::string project, std::vector<std::string> services,
                                           std::chrono::seconds limit);

}  // namespace devstack
