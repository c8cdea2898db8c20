#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "core/docker/client.h"

namespace devstack::host {

namespace asio = boost::asio;

/// Names of the running containers whose every name server is one of `addresses`: without those they resolve nothing.
/// `daemon_dns` is what containers without servers of their own get (daemon.json); empty: the machine's. Looks at 500
/// containers at most; none when no engine answers.
asio::awaitable<std::vector<std::string>> containers_that_ask_only(std::vector<std::string> addresses,
                                                                   std::vector<std::string> daemon_dns,
                                                                   docker::Client engine);

}  // namespace devstack::host
