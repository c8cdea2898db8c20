#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "core/base/result.h"

/// A connection that will speak HTTP/2: TCP with prior knowledge, or TLS with ALPN "h2" (RFC 9113 §3). OpenSSL stays in
/// the .cc. Private to the room.
namespace devstack::health {

namespace asio = boost::asio;

struct H2Security {
  bool tls = false;
  bool verify = true;       ///< against the system's CA store
  std::string server_name;  ///< SNI and the name in the certificate; "" means the address's host
};

/// No deadline of its own but for connecting: cancel what waits. One executor.
class H2Stream {
 public:
  /// Errors: as dial(), and for TLS Go's words (tls_words.h).
  static asio::awaitable<Result<std::unique_ptr<H2Stream>>> connect(std::string address, H2Security security,
                                                                    std::chrono::steady_clock::time_point deadline);
  ~H2Stream();
  H2Stream(const H2Stream&) = delete;
  H2Stream& operator=(const H2Stream&) = delete;

  /// At least one byte; Errc::io `EOF` at the end.
  asio::awaitable<Result<std::size_t>> read_some(asio::mutable_buffer room);
  asio::awaitable<Result<void>> write(std::string bytes);

 private:
  struct Impl;
  explicit H2Stream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace devstack::health
