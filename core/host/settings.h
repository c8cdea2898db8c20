#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace devstack::host {

/// What the machine is to be pointed at. Value.
struct HostSettings {
  std::string address;                         ///< of our DNS, as containers reach it too: "172.17.0.1"
  std::uint16_t port = 53;                     ///< other ports only where the resolver can name one
  std::vector<std::string> domains{"consul"};  ///< names that only we know
  std::string search;                          ///< "service.consul": plain `hello` works too; "" = no
  bool resolver = true;                        ///< wire the machine's own resolver
  bool docker = true;                          ///< wire Docker's daemon.json
  friend bool operator==(const HostSettings&, const HostSettings&) = default;
};

}  // namespace devstack::host
