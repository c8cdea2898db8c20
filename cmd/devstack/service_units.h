#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "core/base/result.h"
#include "core/supervisor/status.h"

/// Instances of services of the stack that runs here, as `exec`, `cp` and their like mean them. Main thread.
namespace devstack {

namespace asio = boost::asio;

/// The instance of a service with that number (0: the first that is up), or the unit of that name. Pure.
/// Errc::not_found with the nearest name.
Result<supervisor::UnitStatus> unit_of_service(const supervisor::Status& status, const std::string& name, int index);
/// Errc::conflict for a host process, and for a container that is not there.
Result<void> must_be_container(const supervisor::UnitStatus& unit);

asio::awaitable<Result<supervisor::Status>> running_status();

}  // namespace devstack
