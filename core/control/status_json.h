#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/supervisor/status.h"

/// The stable JSON form of supervisor::Status: what `devstack status --json` prints, GET /v1/status answers and the
/// events of GET /v1/status/events carry. Fields are added, never renamed or removed. Pure; any thread.
///
///     version         string   of the running supervisor: "0.1.0"
///     project         string   the stack's name; of the first, where several are up
///     stack_file      string   absolute path; "" when there is none
///     node            string   the registry's node name
///     pid             number   of the supervisor
///     started_at      number   Unix seconds
///     docker          string   the engine's version, "20.10.24"; "" when no engine answers …
///     docker_detail   string   … and then why, in words
///     stopping        boolean  `down` is under way
///     converging      boolean  what was asked for last (`up`) is not begun for every service yet
///     healthy         boolean  every unit runs (healthy, where it has a check) or has completed
///     components      array of UNIT: parts of devstack itself (registry, dns, registrator, proxy, templates, ui)
///     services        array of UNIT: instances of the stack's services
///     projects        array of PROJECT: those that are up side by side, in the order in which they came up
///     discovered      array of DISCOVERED: services of the registry that are not the stack's
///
///   UNIT
///     name            string   "hello", "hello-2"; "demo/hello" while several projects are up
///     service         string   "hello"; "" for components
///     project         string   "demo"; "" for components
///     type            string   component | container | process
///     state           string   pending | waiting | starting | running | unhealthy | paused | backoff | completed |
///                              failed | stopping | stopped
///     health          string   "" (no check) | starting | healthy | unhealthy
///     detail          string   one line: what it waits for, or what is wrong and what to do
///     addresses       array of string, "172.17.0.2:8080", "172.17.0.1:53/udp"
///     links           array of string: URLs a browser can open
///     id              string   container id (12 characters) or pid
///     restarts        number
///     started_at      number   Unix seconds; 0 = not running
///     exit_code       number   of the last run
///     degraded        boolean  works, but not as asked (a fallback port, no Docker)
///
///   PROJECT
///     name            string
///     files           array of string: absolute paths of what it was read from
///     healthy         boolean  every unit of it runs or has completed
///     services        number   of its units
///
///   DISCOVERED
///     name            string
///     instances       number
///     passing         number   of instances
///     status          string   passing | warning | critical | maintenance: the worst instance's
///     tags            array of string
///     addresses       array of string, one an instance
///     links           array of string
namespace devstack::control {

/// One line, no trailing newline.
std::string to_json(const supervisor::Status& status);

/// Fields that are missing keep their defaults and unknown ones are ignored, so that a CLI and a supervisor of
/// different versions understand each other. Errc::parse names the field that has the wrong type.
Result<supervisor::Status> status_from_json(std::string_view text);

}  // namespace devstack::control
