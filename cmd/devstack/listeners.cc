#include "cmd/devstack/listeners.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <set>

#include "core/net/interfaces.h"

namespace devstack {

std::optional<asio::ip::address> bridge_address(const std::string& bridge) {
  boost::system::error_code error;
  const auto literal = asio::ip::make_address(bridge, error);
  if (!error) return literal;
  return net::address_of(bridge);
}

Result<std::vector<asio::ip::address>> bind_addresses(const std::vector<std::string>& bind, const std::string& bridge,
                                                      std::string_view setting) {
  std::set<asio::ip::address> found;
  for (const auto& word : bind) {
    if (word == "loopback") {
      found.insert(asio::ip::address_v4::loopback());
    } else if (word == "any") {
      found = {asio::ip::address_v4::any()};
      break;
    } else if (word == "bridge") {
      if (const auto address = bridge_address(bridge)) found.insert(*address);
    } else {
      boost::system::error_code error;
      const auto address = asio::ip::make_address(word, error);
      if (error) {
        return fail(Errc::stack_file, "{}: \"{}\" is not an address: use bridge, loopback, any or an IP address",
                    setting, word);
      }
      found.insert(address);
    }
  }
  if (found.empty()) found.insert(asio::ip::address_v4::loopback());
  return std::vector<asio::ip::address>(found.begin(), found.end());
}

bool may_bind_low_ports() {
  // Root, a capability or a sysctl may allow it; only trying tells. Port 1 is nobody's on loopback.
  asio::io_context io;
  asio::ip::udp::socket socket(io);
  boost::system::error_code error;
  socket.open(asio::ip::udp::v4(), error);
  if (!error) socket.bind({asio::ip::address_v4::loopback(), 1}, error);
  return error != asio::error::access_denied;
}

}  // namespace devstack
