#pragma once

#include <sys/types.h>

/// Process groups as /proc shows them. Private to the room.
namespace devstack::process {

/// Whether a living (not zombie) process is in the group. A signal 0 would count zombies that nobody reaps.
bool group_has_members(pid_t group);

}  // namespace devstack::process
