#include <gtest/gtest.h>

#include <cstdlib>

#include "core/http/client.h"
#include "tests/support/run.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tls_server.h"

namespace devstack::http {
namespace {

constexpr auto kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

class TlsTest : public testing::Test {
 protected:
  void TearDown() override {
    if (server_) test::run(io_, server_->stop());
    ::unsetenv("SSL_CERT_FILE");
  }
  /// A server whose certificate holds `names`; the target is it, by address.
  void serve(const std::string& names, std::string answer = kAnswer, bool good_bye = true) {
    certificate_ = test::Certificate::self_signed(names);
    server_ = std::make_unique<test::TlsServer>(io_, certificate_, std::move(answer), good_bye);
    target_ = *Target::parse("https://127.0.0.1:" + std::to_string(server_->port()));
  }
  void trust_the_server() { ::setenv("SSL_CERT_FILE", dir_.write("ca.pem", certificate_.certificate).c_str(), 1); }
  Result<Response> ask(ClientLimits limits = {}) { return test::run(io_, request(target_, Request(), limits)); }

  asio::io_context io_;
  test::TempDir dir_;
  test::Certificate certificate_;
  std::unique_ptr<test::TlsServer> server_;
  Target target_;
};

TEST_F(TlsTest, ACertificateThatNobodyVouchesForIsRefusedWithTheReason) {
  serve("IP:127.0.0.1");
  const auto answer = ask();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::failed);
  EXPECT_EQ(answer.error().message,
            "TLS with " + target_.to_string() + " failed: certificate verify failed: self-signed certificate");
  EXPECT_EQ(server_->request, "") << "nothing is told to a server that was not verified";
}

TEST_F(TlsTest, WithoutVerificationAnyCertificateDoes) {
  serve("DNS:somebody.else");
  target_.tls_verify = false;
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "hello");
}

TEST_F(TlsTest, AnAddressIsVerifiedAsAnAddressAndNotSentAsAName) {
  serve("IP:127.0.0.1");
  trust_the_server();
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "hello");
  EXPECT_EQ(server_->server_name, "");
  EXPECT_NE(server_->request.find("Host: 127.0.0.1:" + target_.port + "\r\n"), std::string::npos) << server_->request;
}

TEST_F(TlsTest, AChangedCaFileIsReadAgain) {
  serve("IP:127.0.0.1");
  trust_the_server();
  EXPECT_TRUE(ask());
  const auto other = test::Certificate::self_signed("IP:127.0.0.1,DNS:other.test");
  dir_.write("ca.pem", other.certificate);
  EXPECT_FALSE(ask());
  trust_the_server();
  EXPECT_TRUE(ask());
}

TEST_F(TlsTest, TheServerNameIsAskedForAndVerified) {
  serve("DNS:web.test");
  trust_the_server();
  target_.tls_server_name = "web.test";
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(server_->server_name, "web.test");
}

TEST_F(TlsTest, ATrustedCertificateForAnotherNameIsRefused) {
  serve("DNS:web.test");
  trust_the_server();
  const auto by_address = ask();
  ASSERT_FALSE(by_address);
  EXPECT_TRUE(by_address.error().message.ends_with("certificate verify failed: IP address mismatch"))
      << by_address.error().message;
  target_.tls_server_name = "other.test";
  const auto by_name = ask();
  ASSERT_FALSE(by_name);
  EXPECT_TRUE(by_name.error().message.ends_with("certificate verify failed: hostname mismatch"))
      << by_name.error().message;
}

TEST_F(TlsTest, APeerThatDoesNotSpeakTlsIsSaidToBeOne) {
  asio::ip::tcp::acceptor acceptor(io_, {asio::ip::address_v4::loopback(), 0});
  acceptor.async_accept([](boost::system::error_code error, asio::ip::tcp::socket socket) {
    ASSERT_FALSE(error);
    asio::write(socket, asio::buffer(std::string_view("HTTP/1.1 400 Bad Request\r\n\r\n")), error);
  });
  target_ = *Target::parse("https://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()));
  const auto answer = ask();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::failed);
  EXPECT_EQ(answer.error().message, "TLS with " + target_.to_string() + " failed: wrong version number");
}

TEST_F(TlsTest, AHandshakeThatHangsEndsWithTheTimeToConnect) {
  // The kernel takes the connection; nobody ever answers on it.
  asio::ip::tcp::acceptor silent(io_, {asio::ip::address_v4::loopback(), 0});
  target_ = *Target::parse("https://127.0.0.1:" + std::to_string(silent.local_endpoint().port()));
  ClientLimits limits;
  limits.connect_timeout = std::chrono::milliseconds(100);
  const auto answer = ask(limits);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::timeout);
  EXPECT_EQ(answer.error().message, "the TLS handshake with " + target_.to_string() + " took too long");
}

TEST_F(TlsTest, ABodyWithoutLengthEndsWithAGoodByeOnly) {
  const std::string endless = "HTTP/1.1 200 OK\r\n\r\nuntil the end";
  serve("IP:127.0.0.1", endless);
  trust_the_server();
  const auto whole = ask();
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(whole->body, "until the end");
  test::run(io_, server_->stop());

  serve("IP:127.0.0.1", endless, false);
  trust_the_server();
  const auto cut = ask();
  ASSERT_FALSE(cut) << "it may be only a part";
  EXPECT_EQ(cut.error().code, Errc::io);
}

TEST_F(TlsTest, LargeBodiesPassBothWays) {
  const std::string large(3U << 20U, 'x');
  serve("IP:127.0.0.1", "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(large.size()) + "\r\n\r\n" + large);
  trust_the_server();
  Request put;
  put.method = "PUT";
  put.body = std::string(3000, 'y');
  const auto answer = test::run(io_, request(target_, put));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body.size(), large.size());
}

TEST_F(TlsTest, StreamsArriveToo) {
  serve("IP:127.0.0.1", "HTTP/1.1 200 OK\r\n\r\none two");
  trust_the_server();
  std::string seen;
  StreamHandlers handlers;
  handlers.on_chunk = [&](std::string_view bytes) { seen.append(bytes); };
  const auto ended = test::run(io_, stream(target_, Request(), handlers));
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(seen, "one two");
}

}  // namespace
}  // namespace devstack::http
