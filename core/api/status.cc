#include "core/api/status.h"

namespace devstack::api {

int http_status(Errc code) {
  switch (code) {
    case Errc::parse:
      return 400;
    case Errc::permission:
      return 403;
    case Errc::too_large:
      return 413;
    case Errc::cancelled:
    case Errc::unavailable:
    case Errc::timeout:
    case Errc::invalid_argument:
    case Errc::not_found:
    case Errc::conflict:
    case Errc::failed:
    case Errc::io:
    case Errc::stack_file:
    case Errc::docker_unreachable:
    case Errc::port_taken:
    case Errc::unhealthy:
    case Errc::usage:
      return 500;
  }
  return 500;
}

}  // namespace devstack::api
