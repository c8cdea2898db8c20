// gRPC and HTTP/2 ping probes against the servers of others: gRPC's own, and nghttp2's.
#include <gmock/gmock.h>
#include <signal.h>

#include "core/health/check_probe.h"
#include "core/http/server.h"
#include "core/process/child.h"
#include "tests/support/run.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tls_server.h"

namespace devstack::health {
namespace {

using namespace std::chrono_literals;

class H2Probes : public testing::Test {
 protected:
  ~H2Probes() override {
    for (auto& child : children_) test::run(io_, child->stop(SIGKILL, 5s));
  }
  void start(std::vector<std::string> argv) {
    process::Spec spec;
    spec.argv = std::move(argv);
    spec.env = {{"PATH", "/usr/sbin:/usr/bin:/bin"}};
    spec.log_file = dir_.file("log");
    auto started = process::Child::start(io_.get_executor(), std::move(spec));
    ASSERT_TRUE(started) << started.error().message;
    children_.push_back(std::move(*started));
  }
  /// Runs the loop until `holds`, half a minute at most.
  bool eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 600; ++i) {
      if (holds()) return true;
      io_.restart();
      io_.run_for(50ms);
    }
    return false;
  }
  void write_key_pair() {
    const auto pair = test::Certificate::self_signed("IP:127.0.0.1,DNS:named.test");
    key_ = dir_.write("key.pem", pair.key);
    certificate_ = dir_.write("certificate.pem", pair.certificate);
  }
  /// A gRPC health server; its address.
  std::string grpc_server(std::vector<std::string> key_pair = {}) {
    const auto file = dir_.file("port");
    std::vector<std::string> argv{"/usr/bin/python3",
                                  DEVSTACK_SOURCE_DIR "/tests/integration/health/grpc_health_server.py", file};
    argv.insert(argv.end(), key_pair.begin(), key_pair.end());
    start(argv);
    EXPECT_TRUE(eventually([&] { return std::filesystem::exists(file); })) << test::read_file(dir_.file("log"));
    return "127.0.0.1:" + test::read_file(file);
  }
  /// An HTTP/2 server with TLS; its address.
  std::string h2_server() {
    write_key_pair();
    const auto port = std::to_string(test::free_port());
    start({"nghttpd", "-a", "127.0.0.1", "-d", dir_.path(), port, key_, certificate_});
    const auto where = "127.0.0.1:" + port;
    auto check = std::make_shared<registry::Check>();
    check->definition.tcp = where;
    EXPECT_TRUE(eventually([&] { return test::run(io_, probe_tcp(check)).status == "passing"; }))
        << test::read_file(dir_.file("log"));
    return where;
  }
  static std::shared_ptr<registry::Check> grpc_check(std::string target) {
    auto check = std::make_shared<registry::Check>();
    check->definition.grpc = std::move(target);
    check->definition.timeout = 15s;
    return check;
  }
  CheckResult ask(const std::shared_ptr<registry::Check>& check) {
    return test::run(io_, probe_grpc(check), std::chrono::seconds(30));
  }
  CheckResult ping(const std::shared_ptr<registry::Check>& check) {
    return test::run(io_, probe_h2ping(check), std::chrono::seconds(30));
  }

  asio::io_context io_;
  test::TempDir dir_;
  std::string key_, certificate_;
  std::vector<std::unique_ptr<process::Child>> children_;
};

TEST_F(H2Probes, GrpcServersSayHowTheyAre) {
  const auto where = grpc_server();
  const auto whole = ask(grpc_check(where));
  EXPECT_EQ(whole.status, "passing");
  EXPECT_EQ(whole.output, "gRPC check " + where + ": success");
  EXPECT_EQ(ask(grpc_check(where + "/up")).output, "gRPC check " + where + "/up: success");
  const auto down = ask(grpc_check(where + "/down"));
  EXPECT_EQ(down.status, "critical");
  EXPECT_EQ(down.output, "gRPC " + where + "/down serving status: NOT_SERVING");
  const auto unknown = ask(grpc_check(where + "/nobody"));
  EXPECT_EQ(unknown.status, "critical");
  EXPECT_EQ(unknown.output, "rpc error: code = NotFound desc = unknown service");
}

TEST_F(H2Probes, AGrpcServerThatDoesNotAnswerIsCriticalAtTheTimeout) {
  auto check = grpc_check(grpc_server() + "/stuck");
  check->definition.timeout = 1s;
  EXPECT_EQ(ask(check).output, "rpc error: code = DeadlineExceeded desc = context deadline exceeded");
}

TEST_F(H2Probes, AnAnswerOfTooManyFieldsIsCritical) {
  const auto result = ask(grpc_check(grpc_server() + "/wordy"));
  EXPECT_EQ(result.status, "critical");
  EXPECT_EQ(result.output,
            "rpc error: code = Unavailable desc = transport is closing: the answer is larger than 65536 bytes");
}

TEST_F(H2Probes, GrpcSpeaksTls) {
  write_key_pair();
  auto check = grpc_check(grpc_server({key_, certificate_}));
  check->definition.grpc_use_tls = true;
  EXPECT_EQ(
      ask(check).output,
      "rpc error: code = Unavailable desc = connection error: desc = \"transport: authentication handshake failed: "
      "x509: certificate signed by unknown authority\"");
  check->definition.tls_skip_verify = true;
  EXPECT_EQ(ask(check).status, "passing");
}

TEST_F(H2Probes, NobodyThereIsSaidAsGrpcGoSaysIt) {
  const auto where = fmt::format("127.0.0.1:{}", test::free_port());
  EXPECT_EQ(ask(grpc_check(where)).output,
            "rpc error: code = Unavailable desc = connection error: desc = \"transport: Error while dialing dial tcp " +
                where + ": connect: connection refused\"");
}

TEST_F(H2Probes, AServerOfHttp1IsCritical) {
  http::Server server(io_.get_executor(), "old",
                      [](http::Request) -> asio::awaitable<http::Response> { co_return http::text(200, "hello"); });
  const auto port = server.listen({asio::ip::address_v4::loopback(), 0})->port();
  const auto result = ask(grpc_check(fmt::format("127.0.0.1:{}", port)));
  EXPECT_EQ(result.status, "critical");
  EXPECT_THAT(result.output, testing::StartsWith("rpc error: code = Unavailable desc = transport is closing: "));
  test::run(io_, server.stop(0ms));
}

TEST_F(H2Probes, Http2ServersAnswerAPing) {
  auto check = std::make_shared<registry::Check>();
  check->definition.h2ping = h2_server();
  EXPECT_EQ(ping(check).output,
            "Failed to dial to " + check->definition.h2ping + ": x509: certificate signed by unknown authority");
  check->definition.tls_skip_verify = true;
  const auto result = ping(check);
  EXPECT_EQ(result.status, "passing");
  EXPECT_EQ(result.output, "HTTP2 ping was successful");
}

TEST_F(H2Probes, AServerThatTrustsIsVerifiedByName) {
  auto check = std::make_shared<registry::Check>();
  check->definition.h2ping = h2_server();
  ::setenv("SSL_CERT_FILE", certificate_.c_str(), 1);
  EXPECT_EQ(ping(check).status, "passing");
  check->definition.tls_server_name = "named.test";
  EXPECT_EQ(ping(check).status, "passing");
  check->definition.tls_server_name = "other.test";
  EXPECT_EQ(ping(check).output,
            "Failed to dial to " + check->definition.h2ping + ": x509: certificate is not valid for other.test");
  ::unsetenv("SSL_CERT_FILE");
}

TEST_F(H2Probes, APingThatNobodyAnswersIsCritical) {
  auto check = std::make_shared<registry::Check>();
  check->definition.h2ping = fmt::format("127.0.0.1:{}", test::free_port());
  EXPECT_EQ(ping(check).output, "Failed to dial to " + check->definition.h2ping + ": dial tcp " +
                                    check->definition.h2ping + ": connect: connection refused");
  // Somebody who takes the connection and says nothing.
  asio::ip::tcp::acceptor silent(io_, {asio::ip::address_v4::loopback(), 0});
  check->definition.h2ping = fmt::format("127.0.0.1:{}", silent.local_endpoint().port());
  check->definition.timeout = 300ms;
  EXPECT_EQ(ping(check).status, "critical");
}

}  // namespace
}  // namespace devstack::health
