#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "core/registry/types.h"

/// One run of an agent's check, a function a kind. A probe never fails itself: what goes wrong is a critical result
/// with the reason as its output, in the words that Consul and Go use. Runs on the caller's executor and ends within
/// the check's timeout; cancelling it ends what it started, except a command inside a container, which Docker offers no
/// way to end. They know nothing of schedules or of the registry's state.
/// https://developer.hashicorp.com/consul/docs/services/usage/checks
namespace devstack::docker {
class Client;
}

namespace devstack::health {

namespace asio = boost::asio;

struct CheckResult {
  std::string status{registry::status::critical};
  std::string output;
  /// Shown whatever the thresholds say, as Consul does with a command that could not be started or ran too long.
  bool at_once = false;
};

using CheckPtr = registry::CheckPtr;

/// No check is waited for longer: what a definition may say goes beyond what can be added to a time.
constexpr auto longest_timeout = std::chrono::hours(24);
/// `timeout` of the definition, else `otherwise`.
std::chrono::nanoseconds time_limit(const registry::CheckDefinition& definition, std::chrono::seconds otherwise);
/// What is kept of an output at most, as Consul's agent: a check may ask for less.
constexpr std::size_t most_output = 4096;
std::size_t output_limit(const registry::CheckDefinition& definition);
CheckResult critical(std::string output);

/// GET (or `method`) `http`: 2xx passes, 429 warns. Redirects are followed, ten at most. The timeout, 10 s unless
/// given, covers all of it; a body that goes on longer is cut there. Only the end of the body is ever kept.
asio::awaitable<CheckResult> probe_http(CheckPtr check);
/// Connects to `tcp`, and no more. 10 s.
asio::awaitable<CheckResult> probe_tcp(CheckPtr check);
/// Runs `script_args`, no shell, in a process group of its own, with `environment` as its whole environment: exit code
/// 0 passes, 1 warns. Over the timeout (30 s) the group is killed; after the command's end nobody of it is left either.
asio::awaitable<CheckResult> probe_script(CheckPtr check, std::map<std::string, std::string> environment);
/// Runs `script_args` inside a running container; exit codes and timeout as above.
asio::awaitable<CheckResult> probe_docker(CheckPtr check, std::shared_ptr<docker::Client> engine);
/// grpc.health.v1.Health/Check at `grpc`, "host:port" or "host:port/service", in plain text or TLS. 10 s.
asio::awaitable<CheckResult> probe_grpc(CheckPtr check);
/// An HTTP/2 PING over TLS at `h2ping`. 10 s.
asio::awaitable<CheckResult> probe_h2ping(CheckPtr check);

}  // namespace devstack::health
