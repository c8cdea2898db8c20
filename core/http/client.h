#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/http/message.h"

namespace devstack::http {

/// Where a server is: "unix:///var/run/docker.sock", "http://127.0.0.1:8500", "https://host" or "tcp://host:2375". A
/// value.
struct Target {
  std::string unix_path;  ///< when not empty, the rest is unused
  std::string host;
  std::string port;
  bool tls = false;             ///< TLS 1.2 or newer; what https:// means
  bool tls_verify = true;       ///< refuse a certificate that the system's CA store does not vouch for
  std::string tls_server_name;  ///< SNI (RFC 6066 §3) and the name that the certificate must hold; "" means `host`

  static Result<Target> parse(std::string_view uri);
  static Target unix_socket(std::string path);
  [[nodiscard]] std::string to_string() const;
};

struct ClientLimits {
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds timeout{30000};  ///< for the whole exchange
  std::size_t body_bytes = 64U << 20U;
};

/// One request, one connection, the whole answer. Errors: Errc::unavailable (cannot connect), permission, timeout, io,
/// too_large, parse; Errc::failed with OpenSSL's reason ("certificate verify failed: self-signed certificate") when the
/// two ends do not agree on TLS. `connect_timeout` covers the TLS handshake; a peer silent in it is Errc::timeout. The
/// CA store is OpenSSL's own default, so $SSL_CERT_FILE and $SSL_CERT_DIR replace it; it is read again when it changes.
/// A status of 400 and above is an answer, not an error. Any executor; the caller's is used.
asio::awaitable<Result<Response>> request(Target target, Request message, ClientLimits limits = {});

/// A request whose answer is read piece by piece. `on_head` sees status and headers (body empty) and returns whether to
/// go on; `on_chunk` gets body bytes as they arrive; `go_on`, where set, is asked after each piece and ends the
/// exchange (ok) by answering false. Returns when the server ends the body (ok), or with the error that broke it;
/// cancelling the coroutine closes the connection. `idle` bounds the wait for the next byte, `whole` the exchange from
/// connecting to its end (0: none); past either it is Errc::timeout. `connecting` bounds the way to the connection (0:
/// as long as the whole, five seconds where that has no bound), and past it it is Errc::unavailable.
struct StreamHandlers {
  std::function<bool(const Response&)> on_head;
  std::function<void(std::string_view)> on_chunk;
  std::function<bool()> go_on;
};
asio::awaitable<Result<void>> stream(Target target, Request message, StreamHandlers handlers,
                                     std::chrono::milliseconds idle = std::chrono::milliseconds(0),
                                     std::chrono::milliseconds whole = std::chrono::milliseconds(0),
                                     std::chrono::milliseconds connecting = std::chrono::milliseconds(0));

}  // namespace devstack::http
