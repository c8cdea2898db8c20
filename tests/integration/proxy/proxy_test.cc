#include "core/proxy/proxy.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "core/base/async/clock.h"
#include "core/base/async/task_group.h"
#include "core/http/server.h"
#include "core/process/child.h"
#include "tests/support/run.h"
#include "tests/support/temp_dir.h"

// The real HAProxy in front of real servers, following the real registry.
namespace devstack::proxy {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;

struct Answer {
  int status = 0;
  std::string body;
};

/// One connection to the proxy; a request on it either gets a whole answer or status 0.
class Connection {
 public:
  Connection(asio::any_io_executor executor, unsigned short port) : socket_(executor), port_(port) {}
  asio::awaitable<Answer> get(std::string host, std::string more_headers) {
    boost::system::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    if (!socket_.is_open()) {
      const tcp::endpoint where(asio::ip::address_v4::loopback(), port_);
      co_await socket_.async_connect(where, token);
      if (error) co_return fail();
    }
    const std::string request = "GET / HTTP/1.1\r\nHost: " + host + "\r\n" + more_headers + "\r\n";
    co_await asio::async_write(socket_, asio::buffer(request), token);
    if (error) co_return fail();
    const auto head_bytes = co_await asio::async_read_until(socket_, asio::dynamic_buffer(buffer_), "\r\n\r\n", token);
    if (error) co_return fail();
    const auto head = buffer_.substr(0, head_bytes);
    buffer_.erase(0, head_bytes);
    const auto length = body_length(head);
    if (buffer_.size() < length) {
      co_await asio::async_read(socket_, asio::dynamic_buffer(buffer_), asio::transfer_exactly(length - buffer_.size()),
                                token);
      if (error) co_return fail();
    }
    Answer answer{std::stoi(head.substr(9, 3)), buffer_.substr(0, length)};
    buffer_.erase(0, length);
    const bool closes = head.find("onnection: close") != std::string::npos ||
                        more_headers.find("Connection: close") != std::string::npos;
    if (closes) close();
    co_return answer;
  }

 private:
  static std::size_t body_length(std::string head) {
    for (auto& c : head) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const auto at = head.find("content-length:");
    return at == std::string::npos ? 0 : std::stoul(head.substr(at + 15));
  }
  void close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
    buffer_.clear();
  }
  Answer fail() {
    close();
    return {};
  }
  tcp::socket socket_;
  unsigned short port_;
  std::string buffer_;
};

/// Counts of answers by body; what is not a 200 counts as failed.
struct Tally {
  std::map<std::string, int> answered;
  int failed = 0, total = 0;
  std::string first_failure;
};

class ProxyTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!process::find_program("haproxy", "/usr/sbin:/usr/bin:/usr/local/sbin")) FAIL() << "needs haproxy";
    registry::RegistryOptions options;
    options.identity = {"vm", "3b3f0c8e-0000-4000-8000-000000000002", "dc1", "127.0.0.1"};
    auto opened = test::run(io_, registry::Registry::open(io_.get_executor(), options));
    ASSERT_TRUE(opened) << opened.error().to_string();
    registry_ = std::move(*opened);
    port_ = test::free_port();
  }
  void TearDown() override {
    if (proxy_) test::run(io_, proxy_->stop());
    proxy_.reset();
    for (auto& [name, server] : servers_) test::run(io_, server->stop(0ms));
    servers_.clear();
    if (registry_) test::run(io_, registry_->close());
  }

  ProxyOptions options() {
    ProxyOptions out;
    out.bind = {"127.0.0.1"};
    out.port = port_;
    return out;
  }
  HaproxyOptions haproxy_options() {
    HaproxyOptions out;
    out.state_dir = dir_.file("proxy");
    return out;
  }
  Result<void> try_start(ProxyOptions with) {
    proxy_ = std::make_unique<HaproxyProxy>(io_.get_executor(), *registry_, std::move(with), haproxy_options());
    return test::run(io_, proxy_->start());
  }
  void start() {
    const auto started = try_start(options());
    ASSERT_TRUE(started) << started.error().to_string();
  }

  /// A server that answers with `body`; returns its port.
  int serve(const std::string& body) {
    auto handler = [body](http::Request request) -> asio::awaitable<http::Response> {
      auto text = body;
      if (request.headers.get("X-Show-Headers")) {
        for (const auto& [name, value] : request.headers) text += "\n" + name + ": " + value;
      }
      co_return http::text(200, text);
    };
    auto server = std::make_unique<http::Server>(io_.get_executor(), body, handler);
    const auto bound = server->listen({asio::ip::address_v4::loopback(), 0});
    EXPECT_TRUE(bound);
    servers_[body] = std::move(server);
    return bound ? bound->port() : 0;
  }
  static asio::awaitable<void> register_at(registry::Registry& registry, std::string name, std::string id, int port) {
    registry::Service service;
    service.id = std::move(id);
    service.name = std::move(name);
    service.address = "127.0.0.1";
    service.port = port;
    const auto done = co_await registry::register_service(registry, service);
    EXPECT_TRUE(done) << done.error().to_string();
  }
  void add(const std::string& name, const std::string& id) {
    test::run(io_, register_at(*registry_, name, id, serve(id)));
  }
  void remove(const std::string& id) { EXPECT_TRUE(test::run(io_, registry::deregister_service(*registry_, id))); }

  Answer get(const std::string& host, const std::string& headers = {}) {
    return test::run(io_, get_once(port_, host, "Connection: close\r\n" + headers));
  }
  static asio::awaitable<Answer> get_once(unsigned short port, std::string host, std::string headers) {
    Connection connection(co_await asio::this_coro::executor, port);
    co_return co_await connection.get(std::move(host), std::move(headers));
  }
  bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds limit = 10s) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) return false;
      test::run(io_, steady_clock().sleep_for(5ms));
    }
    return true;
  }
  /// The bodies that `count` requests get.
  std::set<std::string> bodies(const std::string& host, int count) {
    std::set<std::string> out;
    for (int i = 0; i < count; ++i) out.insert(get(host).body);
    return out;
  }

  static asio::awaitable<void> load(unsigned short port, std::string headers, const bool& stop, Tally& tally) {
    Connection connection(co_await asio::this_coro::executor, port);
    while (!stop) {
      const auto answer = co_await connection.get("web.localhost", headers);
      ++tally.total;
      if (answer.status == 200) {
        ++tally.answered[answer.body];
      } else {
        ++tally.failed;
        if (tally.first_failure.empty()) tally.first_failure = std::to_string(answer.status) + " " + answer.body;
      }
    }
  }
  static asio::awaitable<void> until(Tally& tally, int total) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (tally.total < total && std::chrono::steady_clock::now() < end) co_await steady_clock().sleep_for(1ms);
    EXPECT_GE(tally.total, total);
  }
  /// Runs `scenario` under requests from eight connections, four of them kept alive.
  Tally under_load(const std::function<asio::awaitable<void>(Tally&)>& scenario) {
    Tally tally;
    bool stop = false;
    TaskGroup group(io_.get_executor());
    for (int i = 0; i < 8; ++i) {
      group.spawn("load", load(port_, i % 2 == 0 ? "" : "Connection: close\r\n", stop, tally));
    }
    test::run(io_, scenario(tally), 60s);
    stop = true;
    test::run(io_, group.join());
    return tally;
  }

  asio::io_context io_;
  test::TempDir dir_;
  unsigned short port_ = 0;
  std::unique_ptr<registry::Registry> registry_;
  std::map<std::string, std::unique_ptr<http::Server>> servers_;
  std::unique_ptr<HaproxyProxy> proxy_;
};

TEST_F(ProxyTest, RoutesByHostNameWithAndWithoutPort) {
  add("web", "web-1");
  add("api", "api-1");
  start();
  EXPECT_EQ(get("web.localhost").body, "web-1");
  EXPECT_EQ(get("API.localhost:" + std::to_string(port_)).body, "api-1");
  EXPECT_EQ(get("api.service.consul").body, "api-1");
  EXPECT_EQ(get("api.service.dc1.consul.").body, "api-1");
}

TEST_F(ProxyTest, TellsTheServerWhoAsked) {
  add("web", "web-1");
  start();
  const auto seen = get("web.localhost", "X-Show-Headers: 1\r\n").body;
  EXPECT_NE(seen.find("127.0.0.1"), std::string::npos) << seen;
  for (const auto* expected : {"x-forwarded-for: 127.0.0.1", "x-forwarded-host: web.localhost",
                               "x-forwarded-proto: http", "x-forwarded-port: "}) {
    EXPECT_NE(seen.find(expected), std::string::npos) << expected << " in " << seen;
  }
}

TEST_F(ProxyTest, UnknownNameGetsAPageThatNamesItAndTheKnownOnes) {
  add("web", "web-1");
  start();
  const auto plain = get("nope.localhost");
  EXPECT_EQ(plain.status, 404);
  EXPECT_NE(plain.body.find("\"nope.localhost\""), std::string::npos) << plain.body;
  EXPECT_NE(plain.body.find("web.localhost"), std::string::npos) << plain.body;
  const auto page = get("<script>.localhost", "Accept: text/html,*/*\r\n");
  EXPECT_EQ(page.status, 404);
  EXPECT_NE(page.body.find("?script?.localhost"), std::string::npos) << page.body;
  EXPECT_EQ(page.body.find("<script>"), std::string::npos);
}

TEST_F(ProxyTest, RequestWithoutHostGetsThePageToo) {
  start();
  EXPECT_EQ(get("").status, 404);
}

TEST_F(ProxyTest, NewInstanceGetsTrafficWithoutAReload) {
  add("web", "web-1");
  start();
  const auto pid = proxy_->pid();
  add("web", "web-2");
  EXPECT_TRUE(eventually([&] { return bodies("web.localhost", 8) == std::set<std::string>{"web-1", "web-2"}; }));
  EXPECT_EQ(proxy_->pid(), pid);
  EXPECT_EQ(proxy_->reloads(), 1U);
}

TEST_F(ProxyTest, NewServiceIsRouted) {
  start();
  EXPECT_EQ(get("web.localhost").status, 404);
  add("web", "web-1");
  EXPECT_TRUE(eventually([&] { return get("web.localhost").body == "web-1"; }));
  remove("web-1");
  EXPECT_TRUE(eventually([&] { return get("web.localhost").status == 404; }));
}

TEST_F(ProxyTest, AnExpectedServiceCostsNoReloadWhenItComes) {
  start();
  proxy_->expect({"Web", "not a host name"});
  EXPECT_TRUE(eventually([&] { return proxy_->reloads() == 2 && get("web.localhost").status == 503; }));
  EXPECT_EQ(proxy_->report().detail, "0 services, 0 instances");
  EXPECT_TRUE(proxy_->report().links.empty());
  add("web", "web-1");
  EXPECT_TRUE(eventually([&] { return get("web.localhost").body == "web-1"; }));
  EXPECT_EQ(proxy_->reloads(), 2U);
}

TEST_F(ProxyTest, AServiceThatComesBackAtOnceCostsNoReload) {
  add("web", "web-1");
  start();
  remove("web-1");
  EXPECT_TRUE(eventually([&] { return get("web.localhost").status == 503; }));
  add("web", "web-2");
  EXPECT_TRUE(eventually([&] { return get("web.localhost").body == "web-2"; }));
  EXPECT_EQ(proxy_->reloads(), 1U);
}

TEST_F(ProxyTest, ServiceWithoutHealthyInstanceSaysSoAndComesBack) {
  add("web", "web-1");
  start();
  registry::RegisterCommand sick;
  sick.node.name = "vm";
  sick.skip_node_update = true;
  registry::Check check;
  check.id = "sick";
  check.name = "sick";
  check.service_id = "web-1";
  sick.checks = {check};
  ASSERT_TRUE(test::run(io_, registry_->apply(registry::Command(sick))));
  EXPECT_TRUE(eventually([&] { return get("web.localhost").status == 503; }));
  EXPECT_NE(get("web.localhost").body.find("no healthy instance of web"), std::string::npos);
  registry::UpdateCheckCommand well{"vm", "sick", "passing", ""};
  ASSERT_TRUE(test::run(io_, registry_->apply(registry::Command(well))));
  EXPECT_TRUE(eventually([&] { return get("web.localhost").body == "web-1"; }));
  EXPECT_EQ(proxy_->reloads(), 1U);
}

TEST_F(ProxyTest, RemovedInstanceCostsNoRequest) {
  for (const auto* id : {"web-1", "web-2", "web-3"}) add("web", id);
  start();
  const auto tally = under_load([&](Tally& running) -> asio::awaitable<void> {
    co_await until(running, 1000);
    co_await registry::deregister_service(*registry_, "web-2");
    co_await servers_["web-2"]->stop();
    co_await until(running, 3000);
  });
  EXPECT_EQ(tally.failed, 0) << "of " << tally.total << ", first: " << tally.first_failure;
  EXPECT_GT(tally.answered.at("web-2"), 0);
}

TEST_F(ProxyTest, InstanceThatDiesBeforeTheRegistryKnowsCostsNoRequest) {
  for (const auto* id : {"web-1", "web-2", "web-3"}) add("web", id);
  start();
  const auto tally = under_load([&](Tally& running) -> asio::awaitable<void> {
    co_await until(running, 1000);
    co_await servers_["web-2"]->stop();
    co_await until(running, 2000);
    co_await registry::deregister_service(*registry_, "web-2");
    co_await until(running, 3000);
  });
  EXPECT_EQ(tally.failed, 0) << "of " << tally.total << ", first: " << tally.first_failure;
}

TEST_F(ProxyTest, ReloadsCostNoRequest) {
  add("web", "web-1");
  start();
  const auto tally = under_load([&](Tally& running) -> asio::awaitable<void> {
    for (int i = 1; i <= 5; ++i) {
      co_await until(running, running.total + 500);
      const auto reloads = proxy_->reloads();
      co_await register_at(*registry_, "other-" + std::to_string(i), "other", 9);
      while (proxy_->reloads() == reloads) co_await steady_clock().sleep_for(1ms);
    }
    co_await until(running, running.total + 500);
  });
  EXPECT_EQ(tally.failed, 0) << "of " << tally.total << ", first: " << tally.first_failure;
  EXPECT_GE(proxy_->reloads(), 6U);
}

TEST_F(ProxyTest, RollingReplacementCostsNoRequest) {
  for (const auto* id : {"web-1", "web-2"}) add("web", id);
  start();
  const auto tally = under_load([&](Tally& running) -> asio::awaitable<void> {
    for (const std::string old : {"web-1", "web-2"}) {
      const auto next = "new-" + old;
      co_await register_at(*registry_, "web", next, serve(next));
      co_await until(running, running.total + 500);
      co_await registry::deregister_service(*registry_, old);
      co_await servers_[old]->stop();
      co_await until(running, running.total + 500);
    }
  });
  EXPECT_EQ(tally.failed, 0) << "of " << tally.total << ", first: " << tally.first_failure;
  EXPECT_EQ(bodies("web.localhost", 6), (std::set<std::string>{"new-web-1", "new-web-2"}));
}

TEST_F(ProxyTest, KilledHaproxyComesBack) {
  add("web", "web-1");
  start();
  const auto first = proxy_->pid();
  ASSERT_GT(first, 1);
  ::kill(first, SIGKILL);
  EXPECT_TRUE(eventually([&] { return proxy_->pid() != 0 && proxy_->pid() != first; }));
  EXPECT_TRUE(eventually([&] { return get("web.localhost").body == "web-1"; }));
  EXPECT_FALSE(proxy_->report().degraded) << proxy_->report().detail;
}

TEST_F(ProxyTest, BadConfigurationIsNotSwappedIn) {
  add("web", "web-1");
  start();
  const auto pid = proxy_->pid();
  proxy_->set_extra("listen broken\n  no-such-keyword 1");
  EXPECT_TRUE(eventually([&] { return proxy_->report().degraded; }));
  EXPECT_NE(proxy_->report().detail.find("no-such-keyword"), std::string::npos) << proxy_->report().detail;
  EXPECT_EQ(proxy_->pid(), pid);
  EXPECT_EQ(get("web.localhost").body, "web-1");
  proxy_->set_extra("");
  EXPECT_TRUE(eventually([&] { return !proxy_->report().degraded; }));
  EXPECT_EQ(proxy_->pid(), pid);
}

TEST_F(ProxyTest, TakenPortIsNamed) {
  asio::io_context other;
  tcp::acceptor holder(other, tcp::endpoint(asio::ip::address_v4::loopback(), port_));
  auto with = options();
  with.describe_taken = [](std::uint16_t) { return "nginx (pid 812)"; };
  const auto started = try_start(with);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::port_taken);
  EXPECT_EQ(started.error().message, "port " + std::to_string(port_) +
                                         "/tcp on 127.0.0.1 is taken by nginx (pid 812): stop it, or set proxy.http in "
                                         "stack.yaml");
  EXPECT_EQ(proxy_->pid(), 0);
}

TEST_F(ProxyTest, MissingProgramSaysWhatToDo) {
  HaproxyOptions nowhere = haproxy_options();
  nowhere.path = dir_.path();
  proxy_ = std::make_unique<HaproxyProxy>(io_.get_executor(), *registry_, options(), nowhere);
  const auto started = test::run(io_, proxy_->start());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message,
            "haproxy not found: apt-get install haproxy, or set proxy.engine: none in stack.yaml");
}

TEST_F(ProxyTest, AddressesChangeWhileItRuns) {
  add("web", "web-1");
  start();
  proxy_->set_binds({"127.0.0.1", "127.0.0.9", "192.0.2.77"});
  EXPECT_TRUE(eventually([&] { return proxy_->report().addresses.size() == 2; }));
  EXPECT_TRUE(proxy_->report().degraded);
  EXPECT_NE(proxy_->report().detail.find("no address 192.0.2.77"), std::string::npos);
  EXPECT_EQ(get("web.localhost").body, "web-1");
  asio::io_context other;
  tcp::socket socket(other);
  boost::system::error_code error;
  socket.connect({asio::ip::make_address("127.0.0.9"), port_}, error);
  EXPECT_FALSE(error) << error.message();
}

/// What a supervisor leaves that was killed: its haproxy, serving, the admin socket and the pid file.
process::Identity leave_behind(asio::io_context& io, const test::TempDir& dir, unsigned short port) {
  const auto config = dir.write("proxy/left.cfg", "global\n  stats socket " + dir.file("proxy/admin.sock") +
                                                      " level admin expose-fd listeners\ndefaults\n  mode http\n"
                                                      "  timeout connect 1s\n  timeout client 9s\n"
                                                      "  timeout server 9s\nfrontend http\n  bind 127.0.0.1:" +
                                                      std::to_string(port) + "\n  http-request return status 299\n");
  process::Spec spec;
  spec.argv = {"haproxy", "-db", "-f", config};
  spec.env = {{"PATH", "/usr/sbin:/usr/bin:/usr/local/sbin"}};
  const auto child = process::Child::start(io.get_executor(), spec);
  EXPECT_TRUE(child);
  if (!child) return {};
  const auto identity = (*child)->identity();
  dir.write("proxy/haproxy.pid", fmt::format("{} {} {}\n", identity.pid, identity.start_time, identity.boot_id));
  return identity;
}

TEST_F(ProxyTest, ProcessOfAKilledSupervisorIsTakenOver) {
  add("web", "web-1");
  const auto left = leave_behind(io_, dir_, port_);
  ASSERT_TRUE(eventually([&] { return get("web.localhost").status == 299; }));
  start();
  EXPECT_NE(proxy_->pid(), left.pid);
  EXPECT_TRUE(eventually([&] { return !process::alive(left); }));
  EXPECT_EQ(get("web.localhost").body, "web-1");
}

TEST_F(ProxyTest, ProcessOfAKilledSupervisorEndsEvenWhenStartFails) {
  const auto left = leave_behind(io_, dir_, port_);
  ASSERT_TRUE(eventually([&] { return get("web.localhost").status == 299; }));
  auto broken = options();
  broken.extra = "nonsense";
  EXPECT_FALSE(try_start(broken));
  EXPECT_FALSE(process::alive(left));
}

TEST_F(ProxyTest, StopWhileReloadingLeavesNothing) {
  add("web", "web-1");
  start();
  test::run(io_, register_at(*registry_, "other", "other", 9));
  // Somewhere in the reload: check, launch or handover.
  const auto before = test::read_file(dir_.file("proxy/haproxy.pid"));
  ASSERT_TRUE(eventually([&] { return test::read_file(dir_.file("proxy/haproxy.pid")) != before; }));
  test::run(io_, proxy_->stop());
  EXPECT_EQ(get("web.localhost").status, 0);
}

TEST_F(ProxyTest, StopFreesThePort) {
  start();
  test::run(io_, proxy_->stop());
  EXPECT_EQ(get("web.localhost").status, 0);
  const auto again = test::run(io_, proxy_->start());
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_EQ(get("web.localhost").status, 404);
}

}  // namespace
}  // namespace devstack::proxy
