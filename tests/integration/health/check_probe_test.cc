// HTTP, TCP and script probes against real servers and programs.
#include "core/health/check_probe.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <charconv>

#include "core/http/server.h"
#include "core/process/child.h"
#include "tests/support/run.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tls_server.h"

namespace devstack::health {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

std::shared_ptr<registry::Check> make_check() {
  auto check = std::make_shared<registry::Check>();
  check->definition.timeout = 15s;
  return check;
}

class HttpProbe : public testing::Test {
 protected:
  HttpProbe() : server_(io_.get_executor(), "checked", [this](http::Request r) { return answer(this, std::move(r)); }) {
    port_ = server_.listen({asio::ip::address_v4::loopback(), 0})->port();
  }
  ~HttpProbe() override { test::run(io_, server_.stop(0ms)); }

  static asio::awaitable<http::Response> answer(HttpProbe* test, http::Request request) {
    test->seen_.push_back(request);
    const std::string path(request.raw_path());
    if (path == "/busy") co_return http::text(429, "slow down");
    if (path == "/broken") co_return http::text(500, "oops");
    if (path == "/slow") {
      asio::steady_timer forever(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
      co_await forever.async_wait(asio::use_awaitable);
    }
    http::Response response = http::text(200, "fine");
    if (path == "/away" || path == "/loop") {
      response.status = 302;
      response.headers.set("Location", path == "/away" ? "/there" : "/loop");
    }
    if (path == "/huge") response.stream = [](http::BodyWriter& to) { return write_much(to); };
    if (path == "/drip") response.stream = [](http::BodyWriter& to) { return write_without_end(to); };
    co_return response;
  }
  static asio::awaitable<void> write_much(http::BodyWriter& to) {
    for (int i = 0; i < 512; ++i) {
      const bool on = co_await to.write(std::string(65536, 'x'));
      if (!on) co_return;
    }
    co_await to.write("the end");
  }
  static asio::awaitable<void> write_without_end(http::BodyWriter& to) {
    co_await to.write("begun");
    asio::steady_timer forever(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await forever.async_wait(asio::use_awaitable);
  }

  std::string url(const std::string& path) { return fmt::format("http://127.0.0.1:{}{}", port_, path); }
  CheckResult probe(const std::shared_ptr<registry::Check>& check) {
    return test::run(io_, probe_http(check), std::chrono::seconds(60));
  }
  CheckResult probe(const std::string& path) {
    auto check = make_check();
    check->definition.http = url(path);
    return probe(check);
  }

  asio::io_context io_;
  http::Server server_;
  unsigned short port_ = 0;
  std::vector<http::Request> seen_;
};

TEST_F(HttpProbe, StatusCodesDecide) {
  const auto fine = probe("/");
  EXPECT_EQ(fine.status, "passing");
  EXPECT_EQ(fine.output, "HTTP GET " + url("/") + ": 200 OK Output: fine");
  const auto busy = probe("/busy");
  EXPECT_EQ(busy.status, "warning");
  EXPECT_EQ(busy.output, "HTTP GET " + url("/busy") + ": 429 Too Many Requests Output: slow down");
  const auto broken = probe("/broken");
  EXPECT_EQ(broken.status, "critical");
  EXPECT_EQ(broken.output, "HTTP GET " + url("/broken") + ": 500 Internal Server Error Output: oops");
}

TEST_F(HttpProbe, TheServerSeesConsul) {
  auto check = make_check();
  check->definition.http = url("/x?y=1");
  check->definition.method = "PUT";
  check->definition.body = "ping";
  check->definition.header = {{"Host", {"virtual.test"}}, {"X-Own", {"1"}}};
  EXPECT_EQ(probe(check).output, "HTTP PUT " + url("/x?y=1") + ": 200 OK Output: fine");
  ASSERT_EQ(seen_.size(), 1U);
  const auto& request = seen_[0];
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.target, "/x?y=1");
  EXPECT_EQ(request.body, "ping");
  EXPECT_EQ(request.headers.get("Host"), "virtual.test");
  EXPECT_EQ(request.headers.get("X-Own"), "1");
  EXPECT_EQ(request.headers.get("User-Agent"), "Consul Health Check");
  EXPECT_EQ(request.headers.get("Accept"), "text/plain, text/*, */*");
  EXPECT_EQ(request.headers.get("Connection"), "close");
}

TEST_F(HttpProbe, RedirectsAreFollowedUnlessForbidden) {
  EXPECT_EQ(probe("/away").output, "HTTP GET " + url("/away") + ": 200 OK Output: fine");
  EXPECT_EQ(seen_.back().target, "/there");
  auto check = make_check();
  check->definition.http = url("/away");
  check->definition.disable_redirects = true;
  EXPECT_EQ(probe(check).status, "critical");
  EXPECT_THAT(probe(check).output, HasSubstr(": 302 Found Output: "));
}

TEST_F(HttpProbe, ALoopOfRedirectsEndsAfterTen) {
  const auto result = probe("/loop");
  EXPECT_EQ(result.status, "critical");
  EXPECT_EQ(result.output, "Get \"/loop\": stopped after 10 redirects");
  EXPECT_EQ(seen_.size(), 10U);
}

TEST_F(HttpProbe, ASlowServerIsCriticalAtTheTimeout) {
  auto check = make_check();
  check->definition.http = url("/slow");
  check->definition.timeout = 200ms;
  const auto result = probe(check);
  EXPECT_EQ(result.status, "critical");
  EXPECT_EQ(result.output,
            "Get \"" + url("/slow") + "\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
}

TEST_F(HttpProbe, OfAHugeBodyTheEndIsKept) {
  const auto result = probe("/huge");
  EXPECT_EQ(result.status, "passing");
  const auto prefix = "HTTP GET " + url("/huge") + ": 200 OK Output: ";
  EXPECT_THAT(result.output, StartsWith(prefix));
  EXPECT_EQ(result.output.size(), prefix.size() + 4096);
  EXPECT_TRUE(result.output.ends_with("xthe end"));
}

TEST_F(HttpProbe, NoCheckMayAskForMoreOutput) {
  auto check = make_check();
  check->definition.http = url("/huge");
  check->definition.output_max_bytes = std::size_t{1} << 30U;
  const auto result = probe(check);
  EXPECT_EQ(result.output.size(), ("HTTP GET " + url("/huge") + ": 200 OK Output: ").size() + 4096);
  check->definition.output_max_bytes = 7;
  EXPECT_EQ(probe(check).output, "HTTP GET " + url("/huge") + ": 200 OK Output: the end");
}

TEST_F(HttpProbe, ABodyWithoutEndIsCutAtTheTimeoutAndItsStatusCounts) {
  auto check = make_check();
  check->definition.http = url("/drip");
  check->definition.timeout = 1s;
  const auto result = probe(check);
  EXPECT_EQ(result.status, "passing");
  EXPECT_EQ(result.output, "HTTP GET " + url("/drip") + ": 200 OK Output: begun");
}

TEST_F(HttpProbe, NobodyThereIsSaidAsGoSaysIt) {
  const auto port = test::free_port();
  auto check = make_check();
  check->definition.http = fmt::format("http://127.0.0.1:{}/", port);
  EXPECT_EQ(probe(check).output,
            fmt::format("Get \"http://127.0.0.1:{0}/\": dial tcp 127.0.0.1:{0}: connect: connection "
                        "refused",
                        port));
  check->definition.http = fmt::format("http://localhost:{}/", port);
  EXPECT_EQ(probe(check).output,
            fmt::format("Get \"http://localhost:{0}/\": dial tcp 127.0.0.1:{0}: connect: connection "
                        "refused",
                        port));
}

TEST(HttpsProbe, VerifiesUnlessTold) {
  asio::io_context io;
  const auto certificate = test::Certificate::self_signed("IP:127.0.0.1");
  test::TlsServer server(io, certificate, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  auto check = make_check();
  check->definition.http = fmt::format("https://127.0.0.1:{}/", server.port());
  const auto refused = test::run(io, probe_http(check));
  EXPECT_EQ(refused.status, "critical");
  EXPECT_EQ(refused.output,
            fmt::format("Get \"{}\": x509: certificate signed by unknown authority", check->definition.http));
  check->definition.tls_skip_verify = true;
  check->definition.tls_server_name = "named.test";
  const auto taken = test::run(io, probe_http(check));
  EXPECT_EQ(taken.output, "HTTP GET " + check->definition.http + ": 200 OK Output: ok");
  EXPECT_EQ(server.server_name, "named.test");
  test::run(io, server.stop());
}

CheckResult probe_tcp_at(const std::string& where) {
  asio::io_context io;
  auto check = make_check();
  check->definition.tcp = where;
  return test::run(io, probe_tcp(check));
}

TEST(TcpProbe, PassesWhereSomebodyListens) {
  asio::io_context io;
  asio::ip::tcp::acceptor listener(io, {asio::ip::address_v4::loopback(), 0});
  const auto port = listener.local_endpoint().port();
  for (const auto* host : {"127.0.0.1", "localhost"}) {
    const auto result = probe_tcp_at(fmt::format("{}:{}", host, port));
    EXPECT_EQ(result.status, "passing");
    EXPECT_EQ(result.output, fmt::format("TCP connect {}:{}: Success", host, port));
  }
}

TEST(TcpProbe, TakesIpv6) {
  asio::io_context io;
  boost::system::error_code no_v6;
  asio::ip::tcp::acceptor listener(io);
  listener.open(asio::ip::tcp::v6(), no_v6);
  if (!no_v6) listener.bind({asio::ip::address_v6::loopback(), 0}, no_v6);
  if (no_v6) GTEST_SKIP() << "no IPv6 here: " << no_v6.message();
  listener.listen();
  EXPECT_EQ(probe_tcp_at(fmt::format("[::1]:{}", listener.local_endpoint().port())).status, "passing");
}

/// 127.0.0.1 leaves connections to a port unanswered, since nobody takes the one that fills its queue; ::1 takes them.
class HalfDeadHost : public testing::Test {
 protected:
  void SetUp() override {
    boost::system::error_code no_v6;
    const auto port = dead_.local_endpoint().port();
    alive_.open(asio::ip::tcp::v6(), no_v6);
    if (!no_v6) alive_.set_option(asio::ip::v6_only(true), no_v6);
    if (!no_v6) alive_.bind({asio::ip::address_v6::loopback(), port}, no_v6);
    if (no_v6) GTEST_SKIP() << "no IPv6 here: " << no_v6.message();
    alive_.listen();
    dead_.listen(0);
    filler_.connect(dead_.local_endpoint());
    check_->definition.tcp = fmt::format("localhost:{}", port);
    check_->definition.http = fmt::format("http://localhost:{}/", port);
    check_->definition.timeout = 6s;  // three for each address
  }
  asio::io_context io_;
  asio::ip::tcp::acceptor dead_{io_, {asio::ip::address_v4::loopback(), 0}, false};
  asio::ip::tcp::acceptor alive_{io_};
  asio::ip::tcp::socket filler_{io_};
  std::shared_ptr<registry::Check> check_ = make_check();
};

TEST_F(HalfDeadHost, TheAddressThatAnswersGetsItsTurn) {
  const auto result = test::run(io_, probe_tcp(check_), std::chrono::seconds(60));
  EXPECT_EQ(result.output, "TCP connect " + check_->definition.tcp + ": Success");
}

TEST_F(HalfDeadHost, HttpGoesToTheOtherAddressToo) {
  // Reaching it is enough: it accepts and goes away, which is no answer but tells who was asked.
  bool accepted = false;
  alive_.async_accept([&accepted](boost::system::error_code error, asio::ip::tcp::socket) { accepted = !error; });
  const auto result = test::run(io_, probe_http(check_), std::chrono::seconds(60));
  EXPECT_EQ(result.status, "critical");
  EXPECT_TRUE(accepted) << result.output;
}

TEST(TcpProbe, FailsInGosWords) {
  const auto where = fmt::format("127.0.0.1:{}", test::free_port());
  const auto result = probe_tcp_at(where);
  EXPECT_EQ(result.status, "critical");
  EXPECT_EQ(result.output, "dial tcp " + where + ": connect: connection refused");
  EXPECT_EQ(probe_tcp_at("127.0.0.1").output, "dial tcp: address 127.0.0.1: missing port in address");
  EXPECT_EQ(probe_tcp_at("127.0.0.1:nonsense").output, "dial tcp: lookup tcp/nonsense: unknown port");
}

class ScriptProbe : public testing::Test {
 protected:
  CheckResult probe(std::vector<std::string> argv, std::chrono::nanoseconds timeout = 15s) {
    auto check = make_check();
    check->definition.script_args = std::move(argv);
    check->definition.timeout = timeout;
    std::map<std::string, std::string> environment{{"PATH", "/usr/bin:/bin"}, {"OWN", "value"}};
    return test::run(io_, probe_script(check, std::move(environment)));
  }
  CheckResult shell(const std::string& line, std::chrono::nanoseconds timeout = 15s) {
    return probe({"sh", "-c", line}, timeout);
  }
  /// Whether the process whose number ends `output` goes away (a zombie has).
  bool ends(const std::string& output) {
    pid_t pid = 0;
    const auto at = output.find_last_of("0123456789");
    const auto from = output.find_last_not_of("0123456789", at) + 1;
    std::from_chars(output.data() + from, output.data() + at + 1, pid);
    if (pid <= 1) ADD_FAILURE() << "no process number in: " << output;
    for (int i = 0; i < 1000 && process::identify(pid); ++i) ::usleep(10'000);
    return !process::identify(pid);
  }
  asio::io_context io_;
};

TEST_F(ScriptProbe, ExitCodesDecide) {
  EXPECT_EQ(shell("echo $OWN; echo err >&2").status, "passing");
  EXPECT_EQ(shell("echo $OWN; echo err >&2").output, "value\nerr\n");
  EXPECT_EQ(shell("echo hm; exit 1").status, "warning");
  EXPECT_EQ(shell("exit 2").status, "critical");
  EXPECT_EQ(shell("kill -9 $$").status, "critical");
}

TEST_F(ScriptProbe, NoShellComesBetween) { EXPECT_EQ(probe({"echo", "$OWN", "a  b"}).output, "$OWN a  b\n"); }

TEST_F(ScriptProbe, OfMuchOutputTheEndIsKeptAndTheRestCounted) {
  const auto result = shell("yes 0123456 | head -n 100000; echo last");
  EXPECT_EQ(result.status, "passing");
  EXPECT_THAT(result.output, StartsWith("Captured 4096 of 800005 bytes\n...\n"));
  EXPECT_TRUE(result.output.ends_with("0123456\nlast\n"));
}

TEST_F(ScriptProbe, OverTheTimeoutTheWholeGroupIsKilled) {
  const auto result = shell("sleep 1000 & echo $!; wait", 500ms);
  EXPECT_EQ(result.status, "critical");
  EXPECT_TRUE(result.at_once);
  EXPECT_THAT(result.output, StartsWith("Timed out (500ms) running check\n\n"));
  EXPECT_TRUE(ends(result.output));
}

TEST_F(ScriptProbe, WhatAScriptLeavesBehindIsKilled) {
  const auto result = shell("sleep 1000 >/dev/null 2>&1 & echo $!");
  EXPECT_EQ(result.status, "passing");
  EXPECT_TRUE(ends(result.output));
}

TEST_F(ScriptProbe, WhatCannotRunIsSaidAsGoSaysIt) {
  EXPECT_EQ(probe({"no-such-program"}).output, "exec: \"no-such-program\": executable file not found in $PATH");
  EXPECT_EQ(probe({"/no/such/program"}).output, "fork/exec /no/such/program: no such file or directory");
  EXPECT_EQ(probe({"/etc/passwd"}).output, "fork/exec /etc/passwd: permission denied");
  EXPECT_TRUE(probe({"no-such-program"}).at_once);
}

}  // namespace
}  // namespace devstack::health
