#pragma once

#include "core/base/result.h"

namespace devstack {

/// The contract of every command (README, devstack(1)): 0 ok, 1 failed, 2 usage, 3 Docker unreachable, 4 port taken,
/// 5 not healthy in time, 6 stack file error, 130 interrupted.
int exit_code(Errc code);

}  // namespace devstack
