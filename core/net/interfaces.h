#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/async/signal.h"
#include "core/base/result.h"

/// The machine's network interfaces and how they change (rtnetlink(7)).
namespace devstack::net {

struct InterfaceAddress {
  std::string interface;
  asio::ip::address address;
  int prefix_length = 0;
  friend bool operator==(const InterfaceAddress&, const InterfaceAddress&) = default;
};

/// Every address of every interface now. Any thread; does not block.
Result<std::vector<InterfaceAddress>> interface_addresses();

/// The first IPv4 address of `interface` ("docker0"), if it exists and has one.
std::optional<asio::ip::address> address_of(std::string_view interface);

/// The address by which this machine is reached from outside: the source address of its default route, else the first
/// global address that is not a Docker bridge's, else none. Never loopback. No packet is sent.
std::optional<asio::ip::address> primary_address();

/// Bumps `changed()` whenever an address of the machine comes or goes. Lives on `executor`; stop() before destruction.
class InterfaceWatcher {
 public:
  explicit InterfaceWatcher(asio::any_io_executor executor);
  ~InterfaceWatcher();
  Result<void> start();
  asio::awaitable<void> stop();
  Signal& changed();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace devstack::net
