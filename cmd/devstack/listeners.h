#pragma once

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"

/// From `bind: [bridge, loopback, 192.168.33.33]` to addresses, as the machine is now. Any thread.
namespace devstack {

namespace asio = boost::asio;

/// The bridge's address: `bridge` is an interface name ("docker0"; none when it does not exist now) or an address.
std::optional<asio::ip::address> bridge_address(const std::string& bridge);

/// The addresses for a listener, without duplicates; a missing bridge is left out. Errc::stack_file for a word that is
/// neither "bridge", "loopback", "any" nor an address; `setting` names the key.
Result<std::vector<asio::ip::address>> bind_addresses(const std::vector<std::string>& bind, const std::string& bridge,
                                                      std::string_view setting);

/// Whether this process may bind ports below 1024.
bool may_bind_low_ports();

}  // namespace devstack
