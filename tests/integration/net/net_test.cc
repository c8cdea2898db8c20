#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstdlib>

#include "core/net/interfaces.h"
#include "core/net/port_holder.h"
#include "tests/support/run.h"

namespace devstack::net {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;

TEST(Interfaces, LoopbackIsThereWithItsPrefix) {
  const auto all = interface_addresses().value();
  const InterfaceAddress loopback{"lo", asio::ip::make_address("127.0.0.1"), 8};
  EXPECT_THAT(all, testing::Contains(loopback));
  EXPECT_EQ(address_of("lo"), asio::ip::make_address("127.0.0.1"));
  EXPECT_EQ(address_of("no-such-interface"), std::nullopt);
}

TEST(Interfaces, PrimaryAddressIsOneOfOursAndNotLoopback) {
  const auto primary = primary_address();
  if (!primary) GTEST_SKIP() << "this machine has loopback only";
  EXPECT_FALSE(primary->is_loopback());
  const auto all = interface_addresses().value();
  EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.address == *primary; }));
}

TEST(Interfaces, WatcherTellsOfAnAddressThatComes) {
  if (::geteuid() != 0) GTEST_SKIP() << "adding an address needs root";
  asio::io_context io;
  InterfaceWatcher watcher(io.get_executor());
  ASSERT_TRUE(watcher.start());
  const auto seen = watcher.changed().version();
  ASSERT_EQ(std::system("ip address add 127.99.77.55/32 dev lo"), 0);
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  EXPECT_TRUE(test::run(io, watcher.changed().wait_past(seen, limit)));
  ASSERT_EQ(std::system("ip address del 127.99.77.55/32 dev lo"), 0);
  test::run(io, watcher.stop());
}

TEST(PortHolder, NamesTheProgramThatListens) {
  asio::io_context io;
  const auto loopback = asio::ip::make_address("127.0.0.1");
  const asio::ip::tcp::acceptor tcp(io, {loopback, 0});
  const asio::ip::udp::socket udp(io, {loopback, 0});
  const auto self = "(pid " + std::to_string(::getpid()) + ")";
  EXPECT_THAT(port_holder(Transport::tcp, tcp.local_endpoint().port()), HasSubstr(self));
  EXPECT_THAT(port_holder(Transport::udp, udp.local_endpoint().port()), HasSubstr(self));
}

TEST(PortHolder, AdmitsWhenItDoesNotKnow) {
  std::uint16_t free = 0;
  {
    asio::io_context io;
    free = asio::ip::udp::socket(io, {asio::ip::make_address("127.0.0.1"), 0}).local_endpoint().port();
  }
  EXPECT_EQ(port_holder(Transport::udp, free), "another program");
}

TEST(PortHolder, ErrorSaysWhoHasItAndWhatToDo) {
  asio::io_context io;
  const asio::ip::udp::socket udp(io, {asio::ip::make_address("127.0.0.1"), 0});
  const auto port = udp.local_endpoint().port();
  const Error error = port_taken(Transport::udp, "127.0.0.1", port, "dns.port");
  EXPECT_EQ(error.code, Errc::port_taken);
  EXPECT_THAT(error.message, testing::StartsWith("port " + std::to_string(port) + "/udp on 127.0.0.1 is taken by "));
  EXPECT_THAT(error.message, testing::EndsWith(": stop it, or set dns.port in stack.yaml"));
}

}  // namespace
}  // namespace devstack::net
