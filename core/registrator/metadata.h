#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/docker/types.h"

namespace devstack::registrator {

/// The SERVICE_* values that hold for one port of a container, keys in lower case and without prefix. Labels beat the
/// environment; SERVICE_<port>_KEY beats SERVICE_KEY wherever it stands.
struct Metadata {
  std::map<std::string, std::string> values;
  std::set<std::string> for_this_port;  ///< keys that came as SERVICE_<port>_KEY

  /// "" when absent: an empty value counts as not set.
  [[nodiscard]] std::string get(std::string_view key) const;
};

Metadata metadata_of(const docker::Container& container, std::uint16_t port);

/// Ports that a container on the host's network declares without EXPOSE: SERVICE_PORT ("8080" or "8080,53/udp") alone
/// when it is there, else what EXPOSE and SERVICE_<port>_… keys name.
std::vector<docker::ContainerPort> declared_ports(const docker::Container& container);

/// The pairs that Consul would accept as service metadata; one that it would refuse must not cost the registration.
std::map<std::string, std::string> valid_meta(const std::map<std::string, std::string>& values);

}  // namespace devstack::registrator
