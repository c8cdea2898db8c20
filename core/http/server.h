#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/http/message.h"

namespace devstack::http {

struct ServerLimits {
  std::size_t header_bytes = 64U << 10U;
  std::size_t body_bytes = 16U << 20U;  ///< over it: 413
  /// Another limit for some requests, by method and target as they stand on the wire; nothing: `body_bytes`.
  std::function<std::optional<std::size_t>(std::string_view, std::string_view)> body_bytes_of = nullptr;
  std::size_t connections = 8192;          ///< over it: the newest is answered 503 and closed
  std::chrono::seconds read_timeout{30};   ///< for a request to arrive once its first byte has
  std::chrono::seconds idle_timeout{900};  ///< between requests; longer than the longest blocking query
  std::chrono::seconds write_timeout{60};  ///< for one write of a response
};

/// An HTTP/1.1 server (Beast behind it): keep-alive, pipelining, chunked requests and responses, Expect: 100-continue.
/// Runs on one executor that is not used from two threads at once; the handler runs there too, one coroutine a
/// connection, and is cancelled when its client hangs up. A handler that throws ends the program (see spawn()).
class Server {
 public:
  using Handler = std::function<asio::awaitable<Response>(Request)>;

  Server(asio::any_io_executor executor, std::string name, Handler handler, ServerLimits limits = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Starts accepting on an address (port 0: any free one; the bound endpoint is returned). Errc::port_taken or
  /// Errc::permission or Errc::io; the caller adds who holds the port.
  Result<asio::ip::tcp::endpoint> listen(const asio::ip::tcp::endpoint& where);
  /// Starts accepting on a unix socket, replacing a stale file; `mode` are its permission bits.
  Result<void> listen_unix(const std::string& path, unsigned mode);
  /// Stops accepting there; established connections go on.
  void close(const asio::ip::tcp::endpoint& where);
  [[nodiscard]] std::vector<asio::ip::tcp::endpoint> endpoints() const;
  [[nodiscard]] std::size_t connections() const;
  /// Closes the listeners, lets requests in flight finish for `grace`, then cuts what is left.
  asio::awaitable<void> stop(std::chrono::milliseconds grace = std::chrono::milliseconds(500));

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace devstack::http
