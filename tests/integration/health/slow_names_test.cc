// Probes of names whose name servers are silent. This program's getaddrinfo() stands before the C library's and lets
// such a question wait, as a resolver does for up to half a minute; the thread that asks cannot be interrupted.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <condition_variable>
#include <mutex>
#include <string_view>

#include "core/base/async/clock.h"
#include "core/health/check_probe.h"
#include "tests/support/run.h"

namespace {

std::mutex mutex;
std::condition_variable changed;
bool answering = false;  // guarded by mutex

}  // namespace

extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found) {
  if (host != nullptr && std::string_view(host) == "silent.test") {
    std::unique_lock lock(mutex);
    changed.wait(lock, [] { return answering; });
    return EAI_NONAME;
  }
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(host, service, hints, found);
}

namespace devstack::health {
namespace {

using namespace std::chrono_literals;

class SilentNameServer : public testing::Test {
 protected:
  SilentNameServer() { set_answering(false); }
  ~SilentNameServer() override { set_answering(true); }  // the resolver's thread ends with io_, after this
  static void set_answering(bool value) {
    const std::lock_guard lock(mutex);
    answering = value;
    changed.notify_all();
  }
  static std::shared_ptr<registry::Check> make_check(std::chrono::nanoseconds timeout) {
    auto check = std::make_shared<registry::Check>();
    check->definition.timeout = timeout;
    check->definition.tcp = check->definition.h2ping = check->definition.grpc = "silent.test:80";
    check->definition.http = "http://silent.test/";
    return check;
  }
  asio::io_context io_;
};

TEST_F(SilentNameServer, IsCriticalAtTheTimeout) {
  const auto check = make_check(100ms);
  const auto tcp = test::run(io_, probe_tcp(check));
  EXPECT_EQ(tcp.status, "critical");
  EXPECT_EQ(tcp.output, "dial tcp: lookup silent.test: i/o timeout");
  const auto http = test::run(io_, probe_http(check));
  EXPECT_EQ(http.status, "critical");
  EXPECT_EQ(http.output, "Get \"http://silent.test/\": dial tcp: lookup silent.test: i/o timeout");
  EXPECT_EQ(test::run(io_, probe_h2ping(check)).status, "critical");
  EXPECT_EQ(test::run(io_, probe_grpc(check)).status, "critical");
}

asio::awaitable<bool> cancelled_after(CheckPtr check, std::chrono::milliseconds span) {
  using namespace asio::experimental::awaitable_operators;
  const auto first = co_await (probe_tcp(std::move(check)) || steady_clock().sleep_for(span));
  co_return first.index() == 1;
}

TEST_F(SilentNameServer, DoesNotHoldACancelledProbe) {
  EXPECT_TRUE(test::run(io_, cancelled_after(make_check(1h), 50ms)));
}

TEST_F(SilentNameServer, DoesNotHoldAddresses) {
  asio::ip::tcp::acceptor listener(io_, {asio::ip::address_v4::loopback(), 0});
  auto check = make_check(100ms);
  test::run(io_, probe_tcp(check));
  check->definition.timeout = 15s;
  for (const auto* host : {"127.0.0.1", "localhost"}) {
    check->definition.tcp = fmt::format("{}:{}", host, listener.local_endpoint().port());
    EXPECT_EQ(test::run(io_, probe_tcp(check)).status, "passing") << host;
  }
}

}  // namespace
}  // namespace devstack::health
