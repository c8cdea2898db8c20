#pragma once

#include <string>
#include <string_view>

namespace devstack::health {

/// OpenSSL's reason for a failed handshake as Go's crypto/tls and crypto/x509 say it, where there is such a saying;
/// OpenSSL's own words otherwise. Pure. Private to the room.
std::string tls_words(std::string_view openssl, std::string_view server_name);

}  // namespace devstack::health
