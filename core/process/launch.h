#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "core/base/result.h"
#include "core/process/child.h"

/// Starting one process: the only file that forks. Private to the room.
namespace devstack::process {

/// Starts `spec` as the leader of its own session and process group with stdin from /dev/null and both outputs on
/// `output_fd` (-1: its log file). The child has default signal dispositions, no blocked signals and none of our
/// descriptors. Returns its pid; the caller reaps it. Errors name the command.
Result<pid_t> launch(const asio::any_io_executor& executor, const Spec& spec, int output_fd = -1);

}  // namespace devstack::process
