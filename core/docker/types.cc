#include "core/docker/types.h"

#include <charconv>

namespace devstack::docker {

std::string find_label(const StringMap& labels, const std::string& name) {
  const auto found = labels.find(name);
  return found == labels.end() ? std::string() : found->second;
}

Result<ContainerPort> parse_container_port(std::string_view text) {
  ContainerPort port;
  const auto slash = text.find('/');
  const auto number = text.substr(0, slash);
  unsigned value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc() || end != number.data() + number.size() || value == 0 || value > 65535) {
    return fail(Errc::parse, "\"{}\" is not a container port: a number from 1 to 65535 is expected", text);
  }
  port.port = static_cast<std::uint16_t>(value);
  if (slash != std::string_view::npos) port.protocol = text.substr(slash + 1);
  if (port.protocol != "tcp" && port.protocol != "udp" && port.protocol != "sctp") {
    return fail(Errc::parse, "\"{}\" is not a container port: the protocol is tcp, udp or sctp", text);
  }
  return port;
}

std::string to_string(const ContainerPort& port) { return fmt::format("{}/{}", port.port, port.protocol); }

}  // namespace devstack::docker
