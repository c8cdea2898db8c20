#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "core/base/result.h"
#include "core/proxy/haproxy_config.h"

/// HAProxy's admin socket. https://docs.haproxy.org/2.6/management.html#9.3
namespace devstack::proxy::haproxy {

namespace asio = boost::asio;

class Runtime {
 public:
  explicit Runtime(std::string socket) : socket_(std::move(socket)) {}

  /// Sends a line (commands separated by "; ") and returns the whole answer. Errc::unavailable, io, timeout (2 s).
  asio::awaitable<Result<std::string>> command(std::string line) const;
  /// The process that answers on the socket now.
  asio::awaitable<Result<int>> pid() const;
  /// The server takes traffic from now on; one that is still draining is taken back.
  asio::awaitable<Result<void>> add(BackendChange server) const;
  /// No new requests; those in flight go on.
  asio::awaitable<Result<void>> drain(BackendChange server) const;
  /// Removes a drained server; Errc::conflict while it still has connections.
  asio::awaitable<Result<void>> remove(BackendChange server) const;

 private:
  std::string socket_;
};

}  // namespace devstack::proxy::haproxy
