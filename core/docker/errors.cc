#include "core/docker/errors.h"

#include "core/docker/wire.h"

namespace devstack::docker {

Error unreachable(Error error, const http::Target& target) {
  const auto where = target.to_string();
  if (error.code == Errc::permission) {
    return {Errc::docker_unreachable,
            fmt::format("permission denied at {}: run as root or join the group docker (`sudo usermod -aG docker "
                        "$USER`, then log in again)",
                        where)};
  }
  if (error.code == Errc::unavailable) {
    const auto hint = target.unix_path.empty() ? "is it running, and does $DOCKER_HOST name it?"
                                               : "is it running? (start it with `systemctl start docker`)";
    return {Errc::docker_unreachable, fmt::format("no Docker engine answers at {}: {}", where, hint)};
  }
  if (error.code == Errc::io) {
    return {Errc::docker_unreachable, fmt::format("the Docker engine went away: {}", error.message)};
  }
  return error;
}

Error refused(int status, std::string_view body) {
  auto message = wire::text_field(body, "message");
  if (message.empty()) message = std::string(body.substr(0, body.find_first_of("\r\n")));
  if (message.empty()) message = fmt::format("the Docker engine answered with status {}", status);
  if (status == 404) return {Errc::not_found, std::move(message)};
  if (status == 409) return {Errc::conflict, std::move(message)};
  return {Errc::failed, std::move(message)};
}

}  // namespace devstack::docker
