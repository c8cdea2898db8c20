#include "core/dns/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "tests/integration/dns/dns_server.h"

namespace devstack::dns {
namespace {

using asio::ip::udp;
using test_support::dig;
using test_support::DnsServerTest;
using test_support::loopback;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST_F(DnsServerTest, AnswersDigOverUdp) {
  const auto server = serve();
  EXPECT_THAT(dig(server, "+short web.service.consul"), "10.0.0.1\n");
  EXPECT_THAT(dig(server, "web.service.consul AAAA"),
              AllOf(HasSubstr("status: NOERROR"), HasSubstr("ANSWER: 0, AUTHORITY: 1"), HasSubstr("SOA\tns.consul.")));
  EXPECT_THAT(dig(server, "nosuch.service.consul"),
              AllOf(HasSubstr("status: NXDOMAIN"), HasSubstr("flags: qr aa rd"), HasSubstr("SOA\tns.consul.")));
  EXPECT_THAT(dig(server, "web.service.consul SRV"), AllOf(HasSubstr("SRV\t1 1 80 0a000001.addr.dc1.consul."),
                                                           HasSubstr("0a000001.addr.dc1.consul. 0\tIN\tA\t10.0.0.1")));
  EXPECT_THAT(dig(server, "+short -x 127.0.0.1"), "n1.node.dc1.consul.\n");
  EXPECT_THAT(dig(server, "example.com"), HasSubstr("status: REFUSED"));
  EXPECT_THAT(dig(server, "consul AXFR"), HasSubstr("Transfer failed"));
}

TEST_F(DnsServerTest, SeesAWriteAtOnce) {
  const auto server = serve();
  EXPECT_EQ(ask(server, "fresh.service.consul", Type::a).header.rcode, Rcode::nxdomain);
  add("fresh", "10.0.0.7", 1);
  EXPECT_EQ(ask(server, "fresh.service.consul", Type::a).answers.size(), 1U);
}

TEST_F(DnsServerTest, AnswersSeveralQueriesOnOneTcpConnection) {
  const auto server = serve();
  const auto text = dig(server, "+tcp +keepopen web.service.consul A web.service.consul SRV n1.node.consul A");
  EXPECT_EQ(count(text, "status: NOERROR"), 3) << text;
  EXPECT_THAT(text, Not(HasSubstr("end of file")));
}

TEST_F(DnsServerTest, DigComesBackOverTcpForWhatWasLeftOut) {
  for (int i = 0; i < 200; ++i) add("big", fmt::format("10.9.0.{}", i), 1000 + i);
  const auto server = serve();
  const auto text = dig(server, "+bufsize=1232 big.service.consul SRV");
  EXPECT_THAT(text, AllOf(HasSubstr("Truncated, retrying in TCP mode"), HasSubstr("ANSWER: 200")));
  EXPECT_THAT(dig(server, "+noedns big.service.consul A"), AllOf(HasSubstr("ANSWER: 3"), Not(HasSubstr("Truncated"))));
}

TEST_F(DnsServerTest, AnswersWhatIsNoQueryWithFormerrAndGoesOn) {
  const auto server = serve();
  udp::socket socket(io_, udp::v4());
  std::vector<std::uint8_t> broken{0xab, 0xcd, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12};
  socket.send_to(asio::buffer(broken), server);
  socket.send_to(asio::buffer(broken, 5), server);  // shorter than a header: no answer
  std::array<std::uint8_t, 512> reply{};
  const std::size_t size = socket.receive(asio::buffer(reply));
  ASSERT_EQ(size, 12U);
  EXPECT_EQ(reply[0], 0xab);
  EXPECT_EQ(reply[3] & 0x0f, 1);
  EXPECT_EQ(ask(server, "web.service.consul", Type::a).answers.size(), 1U);
}

TEST_F(DnsServerTest, ForwardsWhatIsNotOurs) {
  DnsOptions options;
  options.recursors = {to_text(upstream())};
  const auto server = serve(std::move(options));
  EXPECT_EQ(dig(server, "+short db.corp"), "9.9.9.9\n");
  EXPECT_EQ(dig(server, "+short +tcp db.corp"), "9.9.9.9\n");
  EXPECT_THAT(dig(server, "nosuch.corp"), HasSubstr("status: NXDOMAIN"));
  EXPECT_EQ(dig(server, "+short outside.service.consul"), "db.corp.\n9.9.9.9\n") << "an alias is followed";
  EXPECT_THAT(dig(server, "web.service.consul"), HasSubstr("flags: qr aa rd ra"));
}

TEST_F(DnsServerTest, AClientOnTcpGetsWhatUdpLeavesOut) {
  DnsOptions options;
  options.recursors = {to_text(upstream())};
  const auto server = serve(std::move(options));
  EXPECT_THAT(dig(server, "+bufsize=600 many.corp"),
              AllOf(HasSubstr("Truncated, retrying in TCP mode"), HasSubstr("ANSWER: 100")));
}

TEST_F(DnsServerTest, AsksTheNextRecursorWhenOneIsDead) {
  udp::socket silent(io_, loopback());
  udp::socket closed(io_, loopback());
  const auto closed_port = closed.local_endpoint();
  closed.close();
  DnsOptions options;
  options.recursor_timeout = std::chrono::milliseconds(200);
  options.recursors = {to_text(closed_port), to_text(silent.local_endpoint()), to_text(upstream())};
  const auto server = serve(std::move(options));
  EXPECT_EQ(dig(server, "+short db.corp"), "9.9.9.9\n");
  // The silent one has a query; a second question goes to the one that answered.
  const auto waiting = silent.available();
  EXPECT_GT(waiting, 0U);
  EXPECT_EQ(dig(server, "+short www.corp"), "db.corp.\n9.9.9.9\n");
  EXPECT_EQ(silent.available(), waiting);
}

TEST_F(DnsServerTest, SaysServfailWhenNoRecursorAnswers) {
  udp::socket silent(io_, loopback());
  DnsOptions options;
  options.recursor_timeout = std::chrono::milliseconds(100);
  options.recursors = {to_text(silent.local_endpoint())};
  const auto server = serve(std::move(options));
  EXPECT_THAT(dig(server, "db.corp"), AllOf(HasSubstr("status: SERVFAIL"), HasSubstr("flags: qr rd ra;")));
  EXPECT_EQ(dig(server, "+short outside.service.consul"), "db.corp.\n") << "the alias alone";
  EXPECT_EQ(dig(server, "+short web.service.consul"), "10.0.0.1\n");
}

TEST_F(DnsServerTest, NeverAsksItself) {
  const auto first = serve();
  auto& server = *servers_.front();
  test::run(io_, server.stop());
  DnsOptions options;
  options.endpoints = {first};
  options.recursors = {to_text(first)};
  serve(std::move(options));
  EXPECT_THAT(dig(first, "db.corp"), HasSubstr("status: SERVFAIL"));
}

TEST_F(DnsServerTest, AnswersFromTheAddressThatWasAsked) {
  DnsOptions options;
  options.endpoints = {Endpoint(asio::ip::make_address("0.0.0.0"), 0)};
  const auto port = serve(std::move(options)).port();
  const Endpoint other(asio::ip::make_address("127.8.8.8"), port);
  EXPECT_EQ(dig(other, "+short web.service.consul"), "10.0.0.1\n");
}

TEST_F(DnsServerTest, ListensElsewhereWhenToldTo) {
  auto& server = make({});
  ASSERT_TRUE(test::run(io_, server.start()));
  const auto first = server.endpoints().at(0);
  Signal changed(io_.get_executor());
  server.on_change = [&] { changed.bump(); };
  const auto rebind = [&](std::vector<Endpoint> endpoints) {
    const auto seen = changed.version();
    server.set_endpoints(std::move(endpoints));
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    return test::run(io_, changed.wait_past(seen, limit));
  };
  const Endpoint second(asio::ip::make_address("127.0.0.9"), first.port());
  ASSERT_TRUE(rebind({first, second}));
  EXPECT_EQ(dig(first, "+short web.service.consul"), "10.0.0.1\n");
  EXPECT_EQ(dig(second, "+short +tcp web.service.consul"), "10.0.0.1\n");
  EXPECT_THAT(server.report().addresses, testing::UnorderedElementsAre(to_text(first), to_text(second)));

  ASSERT_TRUE(rebind({second}));
  EXPECT_THAT(dig(first, "+tcp web.service.consul"), HasSubstr("refused"));
  EXPECT_EQ(dig(second, "+short web.service.consul"), "10.0.0.1\n");

  const Endpoint not_here(asio::ip::make_address("192.0.2.77"), first.port());
  ASSERT_TRUE(rebind({second, not_here}));
  EXPECT_TRUE(server.report().degraded);
  EXPECT_THAT(server.report().detail, HasSubstr("192.0.2.77"));
  EXPECT_EQ(dig(second, "+short web.service.consul"), "10.0.0.1\n");
}

TEST_F(DnsServerTest, LastOfManyChangesWins) {
  auto& server = make({});
  ASSERT_TRUE(test::run(io_, server.start()));
  const auto port = server.endpoints().at(0).port();
  for (int i = 2; i < 20; ++i) {
    server.set_endpoints({Endpoint(asio::ip::make_address(fmt::format("127.0.0.{}", i)), port)});
  }
  const Endpoint last(asio::ip::make_address("127.0.0.19"), port);
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (server.endpoints() != std::vector<Endpoint>{last} && std::chrono::steady_clock::now() < limit) {
    io_.restart();
    io_.run_one_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(server.endpoints(), std::vector<Endpoint>{last});
}

/// At a free port that a connection which has ended does not still have on TCP.
udp::socket hold_a_port(asio::io_context& io) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    udp::socket held(io, loopback());
    asio::ip::tcp::acceptor probe(io, asio::ip::tcp::v4());
    boost::system::error_code taken;
    probe.set_option(asio::ip::tcp::acceptor::reuse_address(true));
    probe.bind(asio::ip::tcp::endpoint(loopback().address(), held.local_endpoint().port()), taken);
    if (!taken) return held;
  }
  ADD_FAILURE() << "no port is free for UDP and TCP";
  return udp::socket(io, loopback());
}

TEST_F(DnsServerTest, NamesWhoHoldsItsPort) {
  std::uint16_t port = 0;
  {
    auto& server = make({});
    const auto holder = hold_a_port(io_);
    port = holder.local_endpoint().port();
    server.set_endpoints({loopback(), loopback(port)});
    const auto started = test::run(io_, server.start());
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, Errc::port_taken);
    EXPECT_THAT(started.error().message,
                AllOf(HasSubstr(fmt::format("(pid {})", ::getpid())), HasSubstr("dns.port in stack.yaml")));
    EXPECT_TRUE(server.endpoints().empty());
  }
  auto& server = *servers_.back();
  server.set_endpoints({loopback(port)});
  ASSERT_TRUE(test::run(io_, server.start())) << "the port is free again";
  EXPECT_EQ(dig(loopback(port), "+short web.service.consul"), "10.0.0.1\n");
}

TEST_F(DnsServerTest, EndsWithOpenConnectionsAndQuestionsUnderWay) {
  udp::socket silent(io_, loopback());
  DnsOptions options;
  options.recursors = {to_text(silent.local_endpoint())};
  const auto where = serve(std::move(options));
  asio::ip::tcp::socket idle(io_);
  idle.connect({where.address(), where.port()});
  udp::socket client(io_, udp::v4());
  Message message;
  message.questions.push_back({Name::parse("db.corp").value(), Type::a, class_in});
  client.send_to(asio::buffer(encode(message)), where);
  silent.wait(udp::socket::wait_read);  // the question is under way
  test::run(io_, servers_.back()->stop());
  EXPECT_TRUE(servers_.back()->endpoints().empty());
  ASSERT_TRUE(test::run(io_, servers_.back()->start()));
  EXPECT_EQ(dig(servers_.back()->endpoints().at(0), "+short web.service.consul"), "10.0.0.1\n");
}

}  // namespace
}  // namespace devstack::dns
