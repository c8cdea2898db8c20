// Several threads that answer on one port.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/dns/queries_json.h"
#include "tests/integration/dns/dns_server.h"
#include "tests/integration/dns/scripted_server.h"

namespace devstack::dns {
namespace {

using test_support::address_reply;
using test_support::dig;
using test_support::DnsServerTest;
using test_support::loopback;
using test_support::ScriptedServer;
using testing::HasSubstr;
using testing::SizeIs;

constexpr int workers = 3;
/// The kernel deals clients out by their port: so many that no worker is left without one, but for chance below 1e-10.
constexpr int clients = 64;

class WorkersTest : public DnsServerTest {
 protected:
  Endpoint serve_with_workers(DnsOptions options = {}) {
    options.workers = workers;
    return serve(std::move(options));
  }
  std::vector<std::uint64_t> by_worker() {
    std::vector<std::uint64_t> out;
    for (const auto& one : servers_.back()->counters_by_worker()) out.push_back(one.queries());
    return out;
  }
  std::string addresses(const Endpoint& server, const std::string& name) {
    std::string out;
    for (const auto& one : ask(server, name, Type::a).answers) out += to_text(one) + "\n";
    return out;
  }
  DnsCounters counters() { return servers_.back()->counters(); }
};

TEST_F(WorkersTest, AllOfThemHaveTheFixedRecordsThatThereAreNow) {
  DnsOptions options;
  options.records = {{"old.test", {"10.0.0.9"}}};
  options.domains = {"consul", "test"};
  const auto server = serve_with_workers(std::move(options));
  const auto everywhere = [&](const std::string& name) {
    std::set<std::string> seen;
    for (int i = 0; i < clients; ++i) seen.insert(addresses(server, name));
    return seen;
  };
  const std::set<std::string> none{""};
  using testing::ElementsAre;
  EXPECT_EQ(everywhere("new.test"), none);
  auto& dns = *servers_.back();
  dns.set_records("demo", {{"new.test", {"10.0.0.1"}}});
  EXPECT_THAT(everywhere("new.test"), ElementsAre("new.test. 0 IN A 10.0.0.1\n")) << "no reply from before is left";
  EXPECT_THAT(everywhere("old.test"), ElementsAre("old.test. 0 IN A 10.0.0.9\n"));
  dns.set_records("demo", {{"new.test", {"10.0.0.2"}}});
  EXPECT_THAT(everywhere("new.test"), ElementsAre("new.test. 0 IN A 10.0.0.2\n"));
  EXPECT_FALSE(dns.fits("shop", {{"old.test", {"10.0.0.3"}}})) << "the server's own are somebody's, too";
  dns.set_records("demo", {});
  EXPECT_EQ(everywhere("new.test"), none);
}

TEST_F(WorkersTest, AllOfThemAnswerAndEveryAnswerIsLoggedOnce) {
  const auto server = serve_with_workers();
  for (int i = 0; i < clients; ++i) {
    EXPECT_EQ(addresses(server, "web.service.consul"), "web.service.consul. 0 IN A 10.0.0.1\n");
  }
  for (const auto answers : by_worker()) EXPECT_GT(answers, 0U);
  EXPECT_EQ(counters().queries(), static_cast<std::uint64_t>(clients));
  std::uint64_t after = 0;
  EXPECT_THAT(servers_.back()->log().since(after), SizeIs(clients));
  const auto names = servers_.back()->names(5);
  ASSERT_THAT(names, SizeIs(1));
  EXPECT_EQ(names[0].total(), static_cast<std::uint64_t>(clients));
  EXPECT_EQ(servers_.back()->latency(DnsServer::Kind::own).total.count, static_cast<std::uint64_t>(clients));
  const auto document = queries_json(*servers_.back(), 0);
  EXPECT_THAT(document, HasSubstr(R"("total":64,"codes":{"NOERROR":64})"));
  EXPECT_THAT(document, HasSubstr(R"("names":[{"name":"web.service.consul.","total":64,"codes":{"NOERROR":64}}])"));
  EXPECT_THAT(document, HasSubstr(R"("client":"127.0.0.1","name":"web.service.consul.","type":"A","code":"NOERROR")"));
}

TEST_F(WorkersTest, AllOfThemSeeAWriteAtOnce) {
  const auto server = serve_with_workers();
  for (int i = 0; i < clients; ++i) {
    EXPECT_EQ(ask(server, "fresh.service.consul", Type::a).header.rcode, Rcode::nxdomain);
  }
  add("fresh", "10.0.0.7", 1);
  for (int i = 0; i < clients; ++i) {
    EXPECT_EQ(addresses(server, "fresh.service.consul"), "fresh.service.consul. 0 IN A 10.0.0.7\n");
  }
  add("fresh", "10.0.0.8", 2);
  for (int i = 0; i < clients; ++i) EXPECT_THAT(ask(server, "fresh.service.consul", Type::a).answers, SizeIs(2));
}

TEST_F(WorkersTest, InstancesTakeTurnsAlsoWhenTheReplyIsRepeated) {
  for (int i = 0; i < 8; ++i) add("many", fmt::format("10.0.1.{}", i), 100 + i);
  const auto server = serve_with_workers();
  std::set<std::string> first;
  for (int i = 0; i < 2 * clients; ++i) {
    const auto reply = ask(server, "many.service.consul", Type::a);
    ASSERT_THAT(reply.answers, SizeIs(8));
    first.insert(to_text(reply.answers.front()));
  }
  EXPECT_THAT(first, SizeIs(8));
}

TEST_F(WorkersTest, OtherNamesAreAskedForOnceForAllOfThem) {
  ScriptedServer upstream([](const Message& query, net::Transport) { return std::vector{address_reply(query, 300)}; });
  DnsOptions options;
  options.recursors = {upstream.address()};
  const auto server = serve_with_workers(std::move(options));
  for (int i = 0; i < clients; ++i) EXPECT_THAT(ask(server, "www.corp", Type::a).answers, SizeIs(1));
  EXPECT_EQ(upstream.over_udp(), 1);
  EXPECT_EQ(counters().of(Source::upstream).value(), 1U);
  EXPECT_EQ(counters().of(Source::cache).value(), clients - 1U);
  EXPECT_GE(counters().handed_over.value(), 1U);
  // A worker asks twice at most: before the answer is there, and once more if the owner alone has it by then.
  EXPECT_LE(counters().handed_over.value(), 2U * workers) << "they learn what they may reply themselves";
  std::uint64_t after = 0;
  EXPECT_THAT(servers_.back()->log().since(after), SizeIs(clients));
}

TEST_F(WorkersTest, AnAliasOutOfTheRegistryIsFollowed) {
  ScriptedServer upstream([](const Message& query, net::Transport) { return std::vector{address_reply(query, 300)}; });
  DnsOptions options;
  options.recursors = {upstream.address()};
  const auto server = serve_with_workers(std::move(options));
  for (int i = 0; i < clients; ++i) EXPECT_THAT(ask(server, "outside.service.consul", Type::a).answers, SizeIs(2));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(dig(server, "+short outside.service.consul"), "db.corp.\n10.1.1.1\n");
}

TEST_F(WorkersTest, RefuseOtherNamesWithoutRecursors) {
  const auto server = serve_with_workers();
  for (int i = 0; i < clients; ++i) EXPECT_EQ(ask(server, "www.corp", Type::a).header.rcode, Rcode::refused);
  EXPECT_EQ(counters().by_rcode[5].value(), static_cast<std::uint64_t>(clients));
}

TEST_F(WorkersTest, TheirPortIsTakenForAnotherServer) {
  const auto where = serve_with_workers();
  for (const int count : {1, workers}) {
    DnsOptions options;
    options.endpoints = {where};
    options.workers = count;
    auto& second = make(std::move(options));
    const auto started = test::run(io_, second.start());
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, Errc::port_taken);
  }
  servers_.resize(1);
  EXPECT_EQ(addresses(where, "web.service.consul"), "web.service.consul. 0 IN A 10.0.0.1\n");
}

TEST_F(WorkersTest, MoveTogetherAndCountOnOverAStop) {
  const auto first = serve_with_workers();
  auto& server = *servers_.back();
  ask(first, "web.service.consul", Type::a);
  Signal changed(io_.get_executor());
  server.on_change = [&changed] { changed.bump(); };
  const auto moved = [&](std::vector<Endpoint> endpoints) {
    const auto seen = changed.version();
    server.set_endpoints(std::move(endpoints));
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    EXPECT_TRUE(test::run(io_, changed.wait_past(seen, limit)));
  };
  moved({loopback(), Endpoint(asio::ip::make_address("127.0.0.2"), first.port())});
  ASSERT_THAT(server.endpoints(), SizeIs(2));
  EXPECT_EQ(server.endpoints()[0], first) << "port 0 stays what it has become";
  for (const auto& endpoint : server.endpoints()) {
    for (int i = 0; i < clients; ++i) EXPECT_THAT(ask(endpoint, "web.service.consul", Type::a).answers, SizeIs(1));
  }
  moved({Endpoint(asio::ip::make_address("127.0.0.2"), first.port())});
  ASSERT_THAT(server.endpoints(), SizeIs(1));
  for (int i = 0; i < clients; ++i) {
    EXPECT_THAT(ask(server.endpoints()[0], "web.service.consul", Type::a).answers, SizeIs(1));
  }
  const auto before = counters().queries();
  test::run(io_, server.stop());
  EXPECT_EQ(counters().queries(), before);
  ASSERT_TRUE(test::run(io_, server.start()));
  ask(server.endpoints()[0], "web.service.consul", Type::a);
  EXPECT_EQ(counters().queries(), before + 1);
}

TEST(DnsWorkers, TheirDefaultLeavesCoresToOthers) {
  EXPECT_EQ(default_workers(0), 1);
  EXPECT_EQ(default_workers(1), 1);
  EXPECT_EQ(default_workers(2), 1);
  EXPECT_EQ(default_workers(3), 1);
  EXPECT_EQ(default_workers(4), 2);
  EXPECT_EQ(default_workers(64), 4);
}

}  // namespace
}  // namespace devstack::dns
