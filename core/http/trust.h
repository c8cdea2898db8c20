#pragma once

#include <memory>

/// Whom clients trust: the system's CA store. Any thread; each has its own.
namespace boost::asio::ssl {
class context;
}

namespace devstack::http {

namespace asio = boost::asio;

/// TLS 1.2 or newer; with `verify` a server's chain must lead to OpenSSL's own default store, which $SSL_CERT_FILE and
/// $SSL_CERT_DIR replace. Reading a whole CA bundle takes tens of milliseconds, too long for a loop that probes every
/// second, so it is shared and read once for each state of the file: set what differs on the session, not on it. Throws
/// boost::system::system_error when the store cannot be read.
std::shared_ptr<asio::ssl::context> client_context(bool verify);

}  // namespace devstack::http
