// The way of a question that has been asked before, over real sockets: receive, answer, write down, send. It must not
// allocate: this program counts the allocations of each thread.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstdlib>
#include <new>

#include "core/dns/responder.h"
#include "core/dns/udp_batch.h"
#include "tests/integration/dns/dns_server.h"

namespace {

thread_local std::size_t allocations = 0;

void* counted(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

// The array and nothrow forms call these.
void* operator new(std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace devstack::dns {
namespace {

using asio::ip::udp;

class HotPathTest : public test_support::DnsServerTest {
 protected:
  HotPathTest() {
    DnsOptions options;
    responder_ = std::make_unique<Responder>(io_.get_executor(), *registry_, records_, answer_options(options).value(),
                                             UpstreamSettings(), journal_);
    server_.non_blocking(true);
  }
  ~HotPathTest() override { test::run(io_, responder_->stop()); }

  /// Sends `request` so often, and returns the size of the last reply.
  std::size_t rounds(int count, const std::vector<std::uint8_t>& request) {
    std::array<std::uint8_t, 512> reply;
    std::size_t size = 0;
    for (int i = 0; i < count; ++i) {
      client_.send_to(asio::buffer(request), server_.local_endpoint());
      while (batch_.receive(server_.native_handle()) == 0) server_.wait(udp::socket::wait_read);
      responder_->refresh();
      const Responder::Client from{batch_.client(0), net::Transport::udp};
      const auto step = responder_->begin(batch_.request(0), from, batch_.room(server_.native_handle()));
      EXPECT_EQ(step.outcome, Responder::Outcome::reply);
      batch_.queue(0, step.size);
      batch_.send(server_.native_handle());
      size = client_.receive(asio::buffer(reply));
    }
    return size;
  }
  static std::vector<std::uint8_t> request(const std::string& name, Type type) {
    Message query;
    query.questions.push_back({Name::parse(name).value(), type, class_in});
    query.edns.emplace().udp_bytes = 1232;
    return encode(query);
  }

  QueryLog log_;
  Journal journal_{log_};
  RecordBook records_;
  std::unique_ptr<Responder> responder_;
  UdpBatch batch_;
  udp::socket server_{io_, test_support::loopback()};
  udp::socket client_{io_, test_support::loopback()};
};

TEST_F(HotPathTest, AllocatesNothing) {
  for (int i = 0; i < 5; ++i) add("many-instances-of-it", fmt::format("10.0.2.{}", i), 100 + i);
  constexpr int count = 2000;
  for (const auto& [name, type] : {std::pair{"web.service.consul", Type::a}, std::pair{"web.service.consul", Type::srv},
                                   std::pair{"many-instances-of-it.service.consul", Type::a},
                                   std::pair{"n1.node.consul", Type::a}, std::pair{"www.example.com", Type::aaaa}}) {
    const auto bytes = request(name, type);
    const auto first = allocations;
    const auto size = rounds(1, bytes);
    EXPECT_GT(allocations, first) << "the test must see the allocations of a first answer";
    const auto before = allocations;
    EXPECT_EQ(rounds(count, bytes), size);
    EXPECT_EQ(allocations - before, 0U) << name;
  }
  EXPECT_EQ(journal_.counters.queries(), 5U * (count + 1));
  EXPECT_EQ(log_.count(), 5U * (count + 1));
}

}  // namespace
}  // namespace devstack::dns
