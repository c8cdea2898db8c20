#pragma once

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "core/base/result.h"

/// Everything that a process started, also what left its process group (a daemon of its own session): it is known by a
/// variable of the environment that it inherited. A program that cleans its environment before it starts others
/// escapes.
namespace devstack::process {

namespace asio = boost::asio;

/// `NAME=` and a value that no other marker has.
std::string new_marker(const std::string& name);

/// Living processes that were started with `marker` (NAME=VALUE) in their environment, as far as we may look.
std::vector<pid_t> marked(const std::string& marker);

/// Sends a signal to all marked processes that are not in that process group.
void signal_marked(const std::string& marker, int number, pid_t except_group);

/// Sends `stop_signal` (0: none) to all marked processes, and SIGKILL to those that are left after `grace`; returns
/// when there is none any more. Errc::failed names those that even SIGKILL does not end within some seconds. "" marks
/// nobody.
asio::awaitable<Result<void>> end_marked(std::string marker, int stop_signal, std::chrono::milliseconds grace);

}  // namespace devstack::process
