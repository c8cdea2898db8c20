#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/host/plan.h"

namespace devstack::host {

namespace asio = boost::asio;

/// Runs each program's command, at most 60 seconds. Where systemd does not run, what the user is to do goes to `todo`
/// instead; programs that interrupt others are left out unless `restart_docker`. An error names the command.
asio::awaitable<Result<void>> tell(std::vector<Notify> programs, std::map<std::string, std::string> environment,
                                   bool restart_docker, std::vector<std::string>& todo);

}  // namespace devstack::host
