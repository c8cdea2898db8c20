#include "core/health/tls_words.h"

#include <fmt/format.h>

namespace devstack::health {

std::string tls_words(std::string_view openssl, std::string_view server_name) {
  const auto says = [openssl](std::string_view words) { return openssl.find(words) != std::string_view::npos; };
  if (says("self-signed") || says("self signed") || says("unable to get local issuer") ||
      says("unable to verify the first certificate")) {
    return "x509: certificate signed by unknown authority";
  }
  if (says("certificate has expired")) return "x509: certificate has expired or is not yet valid";
  if (says("not yet valid")) return "x509: certificate has expired or is not yet valid";
  if (says("hostname mismatch") || says("Hostname mismatch") || says("IP address mismatch")) {
    return fmt::format("x509: certificate is not valid for {}", server_name);
  }
  if (says("wrong version number") || says("http request") || says("packet length too long")) {
    return "tls: first record does not look like a TLS handshake";
  }
  return std::string(openssl);
}

}  // namespace devstack::health
