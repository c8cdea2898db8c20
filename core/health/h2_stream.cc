#include "core/health/h2_stream.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <optional>

#include "core/base/async/clock.h"
#include "core/health/dial.h"
#include "core/health/tls_words.h"
#include "core/http/trust.h"

namespace devstack::health {
namespace {

namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

/// SNI is for names only (RFC 6066 §3); a certificate may hold an address as well.
Result<void> expect_name(SSL* handle, std::string name, bool verify) {
  error_code no_address;
  asio::ip::make_address(name, no_address);
  bool set = true;
  if (no_address) {  // what SSL_set_tlsext_host_name() stands for; the macro casts the C way
    set = ::SSL_ctrl(handle, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) == 1;
  }
  if (verify && no_address) set = set && SSL_set1_host(handle, name.c_str()) == 1;
  if (verify && !no_address) set = set && X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(handle), name.c_str()) == 1;
  if (!set) return fail(Errc::failed, "tls: \"{}\" is not a name that can be verified", name);
  return {};
}

std::string reason(SSL* handle, const error_code& error) {
  const auto verdict = SSL_get_verify_result(handle);
  if (verdict != X509_V_OK) return X509_verify_cert_error_string(verdict);
  if (error == asio::error::eof || error == ssl::error::stream_truncated) return "EOF";
  return error.message();
}

}  // namespace

struct H2Stream::Impl {
  explicit Impl(tcp::socket connected) : socket(std::move(connected)) {}

  Result<void> prepare(const H2Security& security, const std::string& host) {
    try {
      // The session holds a reference to the context; the judgement of the chain stays with it, for reason().
      tls.emplace(socket, *http::client_context(security.verify));
    } catch (const boost::system::system_error& failure) {
      return fail(Errc::failed, "tls: cannot be set up: {}", failure.code().message());
    }
    static constexpr std::array<unsigned char, 3> h2{2, 'h', '2'};
    SSL_set_alpn_protos(tls->native_handle(), h2.data(), h2.size());
    return expect_name(tls->native_handle(), security.server_name.empty() ? host : security.server_name,
                       security.verify);
  }

  tcp::socket socket;
  std::optional<ssl::stream<tcp::socket&>> tls;
};

H2Stream::H2Stream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
H2Stream::~H2Stream() = default;

asio::awaitable<Result<std::unique_ptr<H2Stream>>> H2Stream::connect(std::string address, H2Security security,
                                                                     std::chrono::steady_clock::time_point deadline) {
  using namespace asio::experimental::awaitable_operators;
  CO_TRY(auto socket, co_await dial(address, deadline));
  auto impl = std::make_unique<Impl>(std::move(*socket));
  error_code error;
  impl->socket.set_option(tcp::no_delay(true), error);
  if (security.tls) {
    CO_TRY(const auto where, split_host_port(address));
    auto prepared = impl->prepare(security, where.host);
    CO_CHECK(std::move(prepared));
    error.clear();
    auto shaken = co_await (
        impl->tls->async_handshake(ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, error)) ||
        steady_clock().sleep_until(deadline));
    if (shaken.index() != 0) co_return fail(Errc::timeout, "tls: handshake with {} timed out", address);
    if (error) {
      const auto& name = security.server_name.empty() ? where.host : security.server_name;
      co_return fail(Errc::failed, "{}", tls_words(reason(impl->tls->native_handle(), error), name));
    }
  }
  co_return std::unique_ptr<H2Stream>(new H2Stream(std::move(impl)));
}

asio::awaitable<Result<std::size_t>> H2Stream::read_some(asio::mutable_buffer room) {
  error_code error;
  std::size_t count = 0;
  if (impl_->tls) {
    count = co_await impl_->tls->async_read_some(room, asio::redirect_error(asio::use_awaitable, error));
  } else {
    count = co_await impl_->socket.async_read_some(room, asio::redirect_error(asio::use_awaitable, error));
  }
  if (!error) co_return count;
  const bool end = error == asio::error::eof || error == ssl::error::stream_truncated;
  co_return fail(Errc::io, "{}", end ? std::string("EOF") : go_words(error.message()));
}

asio::awaitable<Result<void>> H2Stream::write(std::string bytes) {
  error_code error;
  if (impl_->tls) {
    co_await asio::async_write(*impl_->tls, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
  } else {
    co_await asio::async_write(impl_->socket, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
  }
  if (error) co_return fail(Errc::io, "{}", go_words(error.message()));
  co_return Result<void>();
}

}  // namespace devstack::health
