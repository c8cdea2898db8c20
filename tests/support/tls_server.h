#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <stdexcept>
#include <string>

#include "core/base/async/task_group.h"

namespace devstack::test {

/// A key and a certificate that vouches for itself, both PEM; made anew each time.
struct Certificate {
  std::string key, certificate;

  /// `names` as OpenSSL's subjectAltName: "DNS:web.test,IP:127.0.0.1".
  static Certificate self_signed(const std::string& names) {
    const std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> key(EVP_EC_gen("P-256"), ::EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&::X509_free)> made(::X509_new(), ::X509_free);
    if (!key || !made) throw std::runtime_error("OpenSSL made no key");
    ::X509_set_version(made.get(), 2);
    ::ASN1_INTEGER_set(::X509_get_serialNumber(made.get()), 1);
    ::X509_gmtime_adj(::X509_getm_notBefore(made.get()), -3600);
    ::X509_gmtime_adj(::X509_getm_notAfter(made.get()), 3600);
    ::X509_set_pubkey(made.get(), key.get());
    auto* subject = ::X509_get_subject_name(made.get());
    const std::string common = "devstack test";
    ::X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(common.data()), static_cast<int>(common.size()),
                                 -1, 0);
    ::X509_set_issuer_name(made.get(), subject);
    add(made.get(), NID_subject_alt_name, names);
    add(made.get(), NID_basic_constraints, "critical,CA:TRUE");
    if (::X509_sign(made.get(), key.get(), ::EVP_sha256()) == 0) throw std::runtime_error("OpenSSL signed nothing");
    const std::unique_ptr<BIO, decltype(&::BIO_free)> out(::BIO_new(::BIO_s_mem()), ::BIO_free);
    Certificate pair;
    ::PEM_write_bio_X509(out.get(), made.get());
    pair.certificate = drain(out.get());
    ::PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    pair.key = drain(out.get());
    return pair;
  }

 private:
  static void add(X509* to, int kind, const std::string& value) {
    X509V3_CTX context;
    ::X509V3_set_ctx(&context, to, to, nullptr, nullptr, 0);
    const std::unique_ptr<X509_EXTENSION, decltype(&::X509_EXTENSION_free)> extension(
        ::X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()), ::X509_EXTENSION_free);
    if (!extension) throw std::runtime_error("OpenSSL does not understand " + value);
    ::X509_add_ext(to, extension.get(), -1);
  }
  static std::string drain(BIO* from) {
    std::string text(::BIO_ctrl_pending(from), '\0');
    ::BIO_read(from, text.data(), static_cast<int>(text.size()));
    return text;
  }
};

/// A TLS server on a free loopback port that says `answer` to every request it has read the head of, byte by byte what
/// the test gave, and closes. Stop it on its io_context before it goes.
class TlsServer {
 public:
  /// Without `good_bye` the connection ends as if it were cut.
  TlsServer(boost::asio::io_context& io, const Certificate& certificate, std::string answer, bool good_bye = true)
      : context_(boost::asio::ssl::context::tls_server),
        acceptor_(io, {boost::asio::ip::address_v4::loopback(), 0}),
        answer_(std::move(answer)),
        good_bye_(good_bye),
        tasks_(io.get_executor()) {
    context_.use_certificate_chain(boost::asio::buffer(certificate.certificate));
    context_.use_private_key(boost::asio::buffer(certificate.key), boost::asio::ssl::context::pem);
    tasks_.spawn("tls server", serve());
  }
  [[nodiscard]] unsigned short port() const { return acceptor_.local_endpoint().port(); }
  boost::asio::awaitable<void> stop() { return tasks_.stop(); }

  std::string server_name;  ///< what the last client asked for by SNI
  std::string request;      ///< what it sent, as far as it was read

 private:
  using Stream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

  boost::asio::awaitable<void> serve() {
    for (;;) {
      Stream stream(co_await acceptor_.async_accept(boost::asio::use_awaitable), context_);
      boost::system::error_code error;
      const auto quietly = [&error] { return boost::asio::redirect_error(boost::asio::use_awaitable, error); };
      co_await stream.async_handshake(boost::asio::ssl::stream_base::server, quietly());
      const char* name = ::SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name);
      server_name = name != nullptr ? name : "";
      request.clear();
      char bytes[4096];
      while (!error && request.find("\r\n\r\n") == std::string::npos) {
        request.append(bytes, co_await stream.async_read_some(boost::asio::buffer(bytes), quietly()));
      }
      if (!error) co_await boost::asio::async_write(stream, boost::asio::buffer(answer_), quietly());
      if (!error && good_bye_) co_await stream.async_shutdown(quietly());
    }
  }

  boost::asio::ssl::context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::string answer_;
  bool good_bye_;
  TaskGroup tasks_;
};

}  // namespace devstack::test
