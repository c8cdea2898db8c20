#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <string>
#include <vector>

#include "core/host/plan.h"

namespace devstack::host {

namespace asio = boost::asio;

struct TellOptions {
  std::map<std::string, std::string> environment;  ///< of the commands
  bool restart_docker = false;                     ///< else programs that interrupt others are left out
  bool systemd = true;                             ///< else no command is run
};
/// Whether systemd is this machine's init (sd_booted(3)).
bool systemd_runs();

/// Runs each program's command, at most 60 seconds; one that interrupts others, 5 minutes. What the user is to do goes
/// to `todo`: all of it where systemd does not run, and each command that failed, with why; the others are run all the
/// same. Whether none failed.
asio::awaitable<bool> tell(std::vector<Notify> programs, TellOptions options, std::vector<std::string>& todo);

}  // namespace devstack::host
