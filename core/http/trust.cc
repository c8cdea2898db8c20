#include "core/http/trust.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

namespace devstack::http {
namespace {

namespace ssl = asio::ssl;

/// The file of trusted certificates as it is now. One in the folder is looked for when a certificate names it.
struct TrustFile {
  std::string path;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t changed_ns = 0;
  friend bool operator==(const TrustFile&, const TrustFile&) = default;
};

TrustFile trust_file() {
  const char* given = std::getenv(::X509_get_default_cert_file_env());
  TrustFile file{given != nullptr ? given : ::X509_get_default_cert_file()};
  struct stat found {};
  if (::stat(file.path.c_str(), &found) != 0) return file;
  file.inode = found.st_ino;
  file.size = found.st_size;
  file.changed_ns = std::int64_t{found.st_mtim.tv_sec} * 1'000'000'000 + found.st_mtim.tv_nsec;
  return file;
}

std::shared_ptr<ssl::context> make_context(bool verify) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  ::SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  context->set_verify_mode(verify ? ssl::verify_peer : ssl::verify_none);
  if (verify) context->set_default_verify_paths();
  return context;
}

}  // namespace

std::shared_ptr<asio::ssl::context> client_context(bool verify) {
  if (!verify) return make_context(false);
  thread_local TrustFile read;
  thread_local std::shared_ptr<ssl::context> context;
  auto now = trust_file();
  if (!context || !(now == read)) {
    context = make_context(true);
    read = std::move(now);
  }
  return context;
}

}  // namespace devstack::http
