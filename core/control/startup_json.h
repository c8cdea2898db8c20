#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/supervisor/startup.h"

/// The stable JSON form of supervisor::Startup: what GET /v1/startup answers and `devstack up --explain --json` has as
/// `startup`. Fields are added, never renamed or removed. Pure; any thread.
///
///     project         string
///     took_ms         number   from the `up` until the last unit was ready, or had ended
///     critical_path   array of STEP with `unit` (string) and `waits` (boolean): the chain that decided took_ms, first
///                     step first. A step that waits spans those of the unit it waits for, which come before it.
///     units           array of UNIT: those that the last `up` started
///
///   UNIT
///     unit            string   "hello-2"
///     service         string
///     launched_ms     number   when it ran; null: it does not yet
///     ready_ms        number   when it was healthy too, where it has a check; or null
///     ended_ms        number   when it had ended by itself; or null
///     steps           array of STEP, one behind the other
///
///   STEP
///     phase           string   queued | dependency | registry | image | create | start | listen | health | backoff |
///     run detail          string   what it waited for, what was pulled, why it was started again began_ms number since
///     the `up`, as all the times here; of the monotonic clock took_ms         number
namespace devstack::control {

/// One line, no trailing newline.
std::string startup_to_json(const supervisor::Startup& startup);
/// As status_from_json(). `depends_on` is not in the document.
Result<supervisor::Startup> startup_from_json(std::string_view text);

}  // namespace devstack::control
