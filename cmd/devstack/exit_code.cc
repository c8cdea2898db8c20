#include "cmd/devstack/exit_code.h"

namespace devstack {

int exit_code(Errc code) {
  switch (code) {
    case Errc::usage:
      return 2;
    case Errc::docker_unreachable:
      return 3;
    case Errc::port_taken:
      return 4;
    case Errc::unhealthy:
      return 5;
    case Errc::stack_file:
      return 6;
    case Errc::cancelled:
      return 130;
    case Errc::failed:
    case Errc::invalid_argument:
    case Errc::not_found:
    case Errc::conflict:
    case Errc::permission:
    case Errc::unavailable:
    case Errc::timeout:
    case Errc::too_large:
    case Errc::io:
    case Errc::parse:
      return 1;
  }
  return 1;
}

}  // namespace devstack
