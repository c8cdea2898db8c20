#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "core/health/threshold.h"
#include "core/process/child.h"

/// One look at whether something works. A probe never fails itself: what goes wrong is a failed outcome with the reason
/// as its output. Runs on the caller's executor; cancelling it ends what it started.
namespace devstack::health {

namespace asio = boost::asio;

struct ProbeResult {
  Outcome outcome = Outcome::failed;
  std::string output;  ///< one short text for people: the command's output, or why there was none
};

/// The argv of a Compose `healthcheck.test`: {"CMD", argv…} or {"CMD-SHELL", line}; empty for {"NONE"} and no test.
std::vector<std::string> command_of(const std::vector<std::string>& test);

/// Runs a command: exit code 0 passes. Its group is killed at `timeout`.
asio::awaitable<ProbeResult> probe_command(process::Spec spec, std::chrono::milliseconds timeout);

}  // namespace devstack::health
