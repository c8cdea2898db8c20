#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"

/// TLS 1.2 and 1.3 (RFC 5246, RFC 8446) from the client's side, over a connected socket. OpenSSL stays in tls.cc: its
/// headers cost more to compile than the rest of the room. Private to the room.
namespace devstack::http {

namespace asio = boost::asio;

struct Transfer {
  boost::system::error_code error;
  std::size_t bytes = 0;
};

/// Closing the socket ends what waits. No deadline of its own. One executor.
class TlsStream {
 public:
  using Socket = asio::generic::stream_protocol::socket;

  /// `socket` outlives the stream. `name` is the host name for SNI; with `verify` the certificate must be vouched for
  /// by the system's CA store and hold `name`, which may be an IP address. Errc::failed when OpenSSL cannot be set up.
  static Result<std::unique_ptr<TlsStream>> over(Socket& socket, const std::string& name, bool verify);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  asio::awaitable<boost::system::error_code> handshake();
  asio::awaitable<Transfer> read_some(asio::mutable_buffer room);
  asio::awaitable<Transfer> write(std::vector<asio::const_buffer> parts);

  /// OpenSSL's own reason for an error of this stream: "certificate verify failed: hostname mismatch".
  [[nodiscard]] std::string why(const boost::system::error_code& error) const;

 private:
  struct Impl;
  explicit TlsStream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The peer went away without TLS's good-bye: what it sent may be only the beginning (RFC 8446 §6.1).
bool is_truncation(const boost::system::error_code& error);

}  // namespace devstack::http
