#pragma once

#include <cstdint>
#include <string>

namespace devstack::proxy {

/// What would happen to a program that listens there now.
enum class ListenProbe {
  possible,
  taken,       ///< another socket listens there
  no_address,  ///< the machine has no such address (docker0 is not up)
  refused,     ///< the system does not allow it: a low port without the right to it
};

/// Binds for an instant, without SO_REUSEPORT: another program that shares its port would otherwise go unseen and take
/// every second connection. Any thread; does not block.
ListenProbe probe_listen(const std::string& address, std::uint16_t port);

}  // namespace devstack::proxy
