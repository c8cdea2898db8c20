#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace devstack {

namespace asio = boost::asio;

/// Waits until all instances of those services of a project run and are healthy, or have completed. Errc::failed as
/// soon as one has failed ("web: why"), unhealthy when `limit` has passed; else as ControlClient::watch().
asio::awaitable<Result<void>> wait_running(std::string project, std::vector<std::string> services,
                                           std::chrono::seconds limit);

}  // namespace devstack
