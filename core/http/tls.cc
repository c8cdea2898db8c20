#include "core/http/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
// Asio's own code for TLS, compiled once for the whole program (BOOST_ASIO_SEPARATE_COMPILATION).
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "core/http/trust.h"

namespace devstack::http {
namespace {

namespace ssl = asio::ssl;
using boost::system::error_code;

/// We speak nothing else; a server that wants HTTP/2 alone then says so (RFC 7301).
constexpr std::array<unsigned char, 9> kProtocols{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

std::string reason_of(unsigned long code) {
  const char* text = ::ERR_reason_error_string(code);
  return text != nullptr ? text : "OpenSSL does not say why";
}

tl::unexpected<Error> cannot_set_up() {
  return fail(Errc::failed, "TLS cannot be set up: {}", reason_of(::ERR_get_error()));
}

bool is_address(const std::string& name) {
  error_code not_one;
  asio::ip::make_address(name, not_one);
  return !not_one;
}

/// The name that the certificate must hold, and SNI, which names hosts but never addresses.
bool expect_name(SSL* session, std::string name, bool verify) {
  const bool address = is_address(name);
  // What SSL_set_tlsext_host_name() stands for; the macro casts the C way.
  if (!address && ::SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) != 1) {
    return false;
  }
  if (!verify) return true;
  if (address) return ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(session), name.c_str()) == 1;
  ::SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return ::SSL_set1_host(session, name.c_str()) == 1;
}

}  // namespace

struct TlsStream::Impl {
  Impl(Socket& socket, ssl::context& context) : stream(socket, context) {}
  ssl::stream<Socket&> stream;  ///< its session holds a reference to the context
};

TlsStream::TlsStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsStream::~TlsStream() = default;

Result<std::unique_ptr<TlsStream>> TlsStream::over(Socket& socket, const std::string& name, bool verify) {
  ::ERR_clear_error();
  try {
    const auto context = client_context(verify);
    auto impl = std::make_unique<Impl>(socket, *context);
    auto* session = impl->stream.native_handle();
    ::SSL_set_alpn_protos(session, kProtocols.data(), kProtocols.size());
    if (!expect_name(session, name, verify)) return cannot_set_up();
    return std::unique_ptr<TlsStream>(new TlsStream(std::move(impl)));
  } catch (const boost::system::system_error& error) {
    return fail(Errc::failed, "TLS cannot be set up: {}", error.code().message());
  }
}

asio::awaitable<error_code> TlsStream::handshake() {
  error_code error;
  co_await impl_->stream.async_handshake(ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, error));
  co_return error;
}

asio::awaitable<Transfer> TlsStream::read_some(asio::mutable_buffer room) {
  Transfer done;
  done.bytes = co_await impl_->stream.async_read_some(room, asio::redirect_error(asio::use_awaitable, done.error));
  co_return done;
}

asio::awaitable<Transfer> TlsStream::write(std::vector<asio::const_buffer> parts) {
  Transfer done;
  done.bytes = co_await asio::async_write(impl_->stream, parts, asio::redirect_error(asio::use_awaitable, done.error));
  co_return done;
}

std::string TlsStream::why(const error_code& error) const {
  if (is_truncation(error) || error == asio::error::eof) return "the server closed the connection";
  if (error.category() != asio::error::get_ssl_category()) return error.message();
  const auto code = static_cast<unsigned long>(error.value());
  auto reason = reason_of(code);
  const auto verdict = ::SSL_get_verify_result(impl_->stream.native_handle());
  if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED && verdict != X509_V_OK) {
    reason.append(": ").append(::X509_verify_cert_error_string(verdict));
  }
  return reason;
}

bool is_truncation(const error_code& error) { return error == ssl::error::stream_truncated; }

}  // namespace devstack::http
