// Names that are not ours: from the cache, from real and lying servers. `dig` and dnsmasq are the real ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <future>

#include "tests/integration/dns/dns_server.h"
#include "tests/integration/dns/scripted_server.h"
#include "tests/support/temp_dir.h"

namespace devstack::dns {
namespace {

using asio::ip::udp;
using test_support::address_reply;
using test_support::dig;
using test_support::DnsServerTest;
using test_support::loopback;
using test_support::ScriptedServer;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr auto patience = std::chrono::seconds(20);

/// Polls until it is so.
template <class Condition>
bool eventually(Condition condition) {
  const auto limit = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < limit) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

/// The real program with arguments of the test's, serving on a port of 127.0.0.1; its queries go to a log.
class Dnsmasq {
 public:
  Dnsmasq(std::uint16_t port, const std::vector<std::string>& arguments) {
    std::vector<std::string> all{"dnsmasq",
                                 "--keep-in-foreground",
                                 "--conf-file=/dev/null",
                                 "--no-resolv",
                                 "--no-hosts",
                                 "--no-daemon",
                                 "--bind-interfaces",
                                 "--listen-address=127.0.0.1",
                                 "--pid-file=",
                                 "--log-queries",
                                 "--log-facility=" + dir_.file("log"),
                                 fmt::format("--port={}", port)};
    all.insert(all.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    argv.reserve(all.size() + 1);
    for (auto& one : all) argv.push_back(one.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin", 1);
      ::execvp(argv[0], argv.data());
      ::_exit(127);
    }
  }
  ~Dnsmasq() { stop(); }
  Dnsmasq(const Dnsmasq&) = delete;
  Dnsmasq& operator=(const Dnsmasq&) = delete;

  void stop() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  /// How often it was asked for `name`.
  [[nodiscard]] int asked(const std::string& name) const {
    const auto log = test::read_file(dir_.file("log"));
    int found = 0;
    for (auto at = log.find("] " + name + " from"); at != std::string::npos;
         at = log.find("] " + name + " from", at + 1)) {
      ++found;
    }
    return found;
  }

 private:
  test::TempDir dir_;
  pid_t pid_ = -1;
};

class ForwarderTest : public DnsServerTest {
 protected:
  /// A server that forwards to these; where it listens.
  Endpoint forwarding(std::vector<std::string> recursors, DnsOptions options = {}) {
    options.recursors = std::move(recursors);
    return serve(std::move(options));
  }
  DnsCounters counters() { return servers_.back()->counters(); }
  std::uint64_t answered(Source source) { return counters().of(source).value(); }
};

TEST_F(ForwarderTest, AsksOnceAndAnswersFromTheCache) {
  ScriptedServer upstream([](const Message& query, net::Transport) { return std::vector{address_reply(query, 300)}; });
  const auto server = forwarding({upstream.address()});
  EXPECT_THAT(dig(server, "www.corp"), AllOf(HasSubstr("www.corp.\t\t300\tIN\tA\t10.1.1.1"), HasSubstr("qr rd ra;")));
  EXPECT_EQ(dig(server, "+short +tcp WWW.Corp"), "10.1.1.1\n");
  EXPECT_THAT(dig(server, "+noedns WwW.corp"), AllOf(HasSubstr(";WwW.corp."), Not(HasSubstr("OPT PSEUDOSECTION"))));
  EXPECT_EQ(upstream.over_udp(), 1);
  EXPECT_EQ(answered(Source::cache), 2U);
  EXPECT_EQ(answered(Source::upstream), 1U);
  EXPECT_EQ(dig(server, "+short +cd www.corp"), "10.1.1.1\n");
  EXPECT_EQ(dig(server, "+short +dnssec www.corp"), "10.1.1.1\n");
  EXPECT_EQ(upstream.over_udp(), 3) << "CD and DO are questions of their own";
}

TEST_F(ForwarderTest, KeepsWhatDnsmasqSays) {
  const std::uint16_t port = test::free_port();
  Dnsmasq upstream(port, {"--host-record=www.corp,10.9.9.9,600", "--txt-record=txt.corp,hello", "--local=/corp/",
                          "--srv-host=_x._tcp.corp,www.corp,8080", "--local-ttl=500"});
  ASSERT_TRUE(
      eventually([&] { return dig(loopback(port), "+time=1 www.corp").find("10.9.9.9") != std::string::npos; }));
  const int before = upstream.asked("www.corp");
  const auto server = forwarding({fmt::format("127.0.0.1:{}", port)});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(dig(server, "+short www.corp"), "10.9.9.9\n");
  EXPECT_EQ(upstream.asked("www.corp"), before + 1);
  EXPECT_EQ(dig(server, "+short _x._tcp.corp SRV"), "0 0 8080 www.corp.\n");
  EXPECT_EQ(dig(server, "+short txt.corp TXT"), "\"hello\"\n");
  EXPECT_THAT(dig(server, "nosuch.corp"), HasSubstr("status: NXDOMAIN"));
  upstream.stop();
  EXPECT_EQ(dig(server, "+short www.corp"), "10.9.9.9\n");
  EXPECT_EQ(dig(server, "+short _x._tcp.corp SRV"), "0 0 8080 www.corp.\n");
}

TEST_F(ForwarderTest, ClientsThatAskTheSameShareOneQuery) {
  constexpr int clients = 20;
  std::promise<void> open;
  const auto gate = open.get_future().share();
  ScriptedServer upstream([gate](const Message& query, net::Transport) {
    gate.wait_for(patience);
    return std::vector{address_reply(query, 0)};
  });
  DnsOptions options;
  options.recursor_timeout = patience;
  const auto server = forwarding({upstream.address()}, std::move(options));
  udp::socket client(io_, udp::v4());
  Message message;
  message.header.recursion_desired = true;
  message.questions.push_back({Name::parse("www.corp").value(), Type::a, class_in});
  for (int i = 0; i < clients; ++i) {
    message.header.id = static_cast<std::uint16_t>(i);
    client.send_to(asio::buffer(encode(message)), server);
  }
  ASSERT_TRUE(eventually([&] { return counters().shared.value() == clients - 1; }));
  open.set_value();
  std::vector<int> ids;
  ASSERT_TRUE(eventually([&] {
    std::array<std::uint8_t, 512> reply{};
    while (client.available() > 0) {
      const auto size = client.receive(asio::buffer(reply));
      const auto decoded = decode(Bytes(reply).first(size));
      if (decoded && decoded->answers.size() == 1) ids.push_back(decoded->header.id);
    }
    return ids.size() == clients;
  }));
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end()) << "everybody by its own id";
  // The suspicion of a loop, everybody here being on loopback, may have sent one probe.
  const auto names = upstream.names();
  EXPECT_EQ(std::count(names.begin(), names.end(), "www.corp."), 1);
}

TEST_F(ForwarderTest, StaleAnswersServeWhenNobodyAnswers) {
  ScriptedServer upstream([](const Message& query, net::Transport) { return std::vector{address_reply(query, 1)}; });
  const auto server = forwarding({upstream.address()});
  EXPECT_EQ(dig(server, "+short www.corp"), "10.1.1.1\n");
  upstream.stop();
  ASSERT_TRUE(eventually([&] {
    EXPECT_EQ(dig(server, "+short www.corp"), "10.1.1.1\n");
    return answered(Source::stale) > 0;
  }));
  EXPECT_THAT(dig(server, "www.corp"), HasSubstr("www.corp.\t\t30\tIN\tA\t10.1.1.1"));
  EXPECT_THAT(dig(server, "never.corp"), HasSubstr("status: SERVFAIL"));
}

TEST_F(ForwarderTest, StaleAnswersServeWhileAServerIsSlowAndAreRefreshed) {
  std::promise<void> open;
  const auto gate = open.get_future().share();
  std::atomic<int> asked{0};
  ScriptedServer upstream([&asked, gate](const Message& query, net::Transport) {
    if (++asked == 1) return std::vector{address_reply(query, 1)};
    gate.wait_for(patience);
    return std::vector{address_reply(query, 300, 2)};
  });
  DnsOptions options;
  options.recursor_timeout = patience;
  const auto server = forwarding({upstream.address()}, std::move(options));
  EXPECT_EQ(dig(server, "+short www.corp"), "10.1.1.1\n");
  ASSERT_TRUE(eventually([&] {
    EXPECT_EQ(dig(server, "+short +time=10 www.corp"), "10.1.1.1\n");
    return answered(Source::stale) > 0;
  }));
  open.set_value();
  EXPECT_TRUE(eventually([&] { return dig(server, "+short www.corp") == "10.1.1.2\n"; })) << "refreshed meanwhile";
}

TEST_F(ForwarderTest, WhatUdpTruncatesIsFetchedOverTcpAndKeptWhole) {
  ScriptedServer upstream([](const Message& query, net::Transport transport) {
    auto reply = address_reply(query, 300);
    reply.header.truncated = transport == net::Transport::udp;
    if (transport == net::Transport::udp) return std::vector{reply};
    for (int i = 0; i < 99; ++i) {
      reply.answers.push_back(reply.answers[0]);
      reply.answers.back().data = Ipv4{{10, 2, 2, static_cast<std::uint8_t>(i)}};
    }
    return std::vector{reply};
  });
  const auto server = forwarding({upstream.address()});
  EXPECT_THAT(dig(server, "+bufsize=4096 many.corp"), AllOf(HasSubstr("ANSWER: 100"), Not(HasSubstr("Truncated"))));
  EXPECT_THAT(dig(server, "+bufsize=600 many.corp"),
              AllOf(HasSubstr("Truncated, retrying in TCP mode"), HasSubstr("ANSWER: 100")));
  EXPECT_THAT(dig(server, "+noedns +ignore many.corp"), AllOf(HasSubstr(" tc "), HasSubstr("ANSWER: 30")));
  EXPECT_EQ(upstream.over_udp(), 1);
  EXPECT_EQ(upstream.over_tcp(), 1);
}

TEST_F(ForwarderTest, TakesNoForgedReply) {
  ScriptedServer upstream([](const Message& query, net::Transport) {
    auto wrong_id = address_reply(query, 300, 66);
    ++wrong_id.header.id;
    auto wrong_name = address_reply(query, 300, 66);
    wrong_name.questions[0].name = Name::parse("other.corp").value();
    auto wrong_type = address_reply(query, 300, 66);
    wrong_type.questions[0].type = Type::aaaa;
    auto no_reply = address_reply(query, 300, 66);
    no_reply.header.response = false;
    return std::vector{wrong_id, wrong_name, wrong_type, no_reply, address_reply(query, 300, 1)};
  });
  const auto server = forwarding({upstream.address()});
  EXPECT_EQ(dig(server, "+short www.corp"), "10.1.1.1\n");
}

TEST_F(ForwarderTest, ALiarAloneIsAFailure) {
  ScriptedServer upstream([](const Message& query, net::Transport) {
    auto wrong = address_reply(query, 300, 66);
    wrong.header.id ^= 0x5555;
    return std::vector{wrong};
  });
  DnsOptions options;
  options.recursor_timeout = std::chrono::milliseconds(200);
  const auto server = forwarding({upstream.address()}, std::move(options));
  EXPECT_THAT(dig(server, "www.corp"), HasSubstr("status: SERVFAIL"));
  EXPECT_GE(counters().upstream_failures.value(), 1U);
}

TEST_F(ForwarderTest, OtherCodesMoveOnAndTheNextServersAnswerIsKept) {
  ScriptedServer refuses([](const Message& query, net::Transport) {
    auto reply = address_reply(query, 300, 66);
    reply.answers.clear();
    reply.header.rcode = Rcode::refused;
    return std::vector{reply};
  });
  ScriptedServer answers([](const Message& query, net::Transport) { return std::vector{address_reply(query, 300)}; });
  const auto server = forwarding({refuses.address(), answers.address()});
  EXPECT_EQ(dig(server, "+short www.corp"), "10.1.1.1\n");
  EXPECT_EQ(dig(server, "+short www.corp"), "10.1.1.1\n");
  EXPECT_EQ(refuses.over_udp(), 1);
  EXPECT_EQ(answers.over_udp(), 1);
}

TEST_F(ForwarderTest, AServerFromBeforeEdnsIsAskedWithoutIt) {
  ScriptedServer old([](const Message& query, net::Transport) {
    auto reply = address_reply(query, 300);
    if (!query.edns) return std::vector{reply};
    reply.edns.reset();
    reply.answers.clear();
    reply.header.rcode = Rcode::formerr;
    return std::vector{reply};
  });
  const auto server = forwarding({old.address()});
  EXPECT_THAT(dig(server, "www.corp"), AllOf(HasSubstr("10.1.1.1"), HasSubstr("EDNS: version: 0")));
}

TEST_F(ForwarderTest, CaseIsVariedAndServersThatFoldItAreBelievedOverTcp) {
  const auto fold = [](Message reply) {
    reply.questions[0].name = reply.questions[0].name.lowered();
    return reply;
  };
  ScriptedServer keeps([](const Message& query, net::Transport) { return std::vector{address_reply(query, 300)}; });
  ScriptedServer folds(
      [&fold](const Message& query, net::Transport) { return std::vector{fold(address_reply(query, 300))}; });
  const std::string name = "abcdefghijklmnopqrstuvwxyz.corp";
  DnsOptions options;
  options.random_case = true;
  const auto of_keeping = forwarding({keeps.address()}, options);
  EXPECT_THAT(dig(of_keeping, name), AllOf(HasSubstr("10.1.1.1"), HasSubstr(";" + name + ".")));
  EXPECT_THAT(keeps.names(), ElementsAre(Not(name + ".")));
  EXPECT_EQ(keeps.over_tcp(), 0);

  const auto of_folding = forwarding({folds.address()}, options);
  EXPECT_EQ(dig(of_folding, "+short " + name), "10.1.1.1\n");
  EXPECT_EQ(folds.over_tcp(), 1);
  EXPECT_EQ(dig(of_folding, "+short second." + name), "10.1.1.1\n");
  EXPECT_EQ(folds.over_tcp(), 1) << "it is known now";
  EXPECT_EQ(folds.names().back(), "second." + name + ".");
}

TEST_F(ForwarderTest, DomainsHaveServersOfTheirOwn) {
  const auto says = [](std::uint8_t last) {
    return [last](const Message& query, net::Transport) { return std::vector{address_reply(query, 300, last)}; };
  };
  ScriptedServer everybody(says(1));
  ScriptedServer corp(says(2));
  ScriptedServer lab(says(3));
  DnsOptions options;
  options.servers = {{"corp.example", {corp.address()}}, {"lab.corp.example", {lab.address()}}, {"secret.example", {}}};
  const auto server = forwarding({everybody.address()}, options);
  EXPECT_EQ(dig(server, "+short www.example"), "10.1.1.1\n");
  EXPECT_EQ(dig(server, "+short www.CORP.example"), "10.1.1.2\n");
  EXPECT_EQ(dig(server, "+short www.lab.corp.example"), "10.1.1.3\n");
  EXPECT_THAT(dig(server, "x.secret.example"), HasSubstr("status: NXDOMAIN"));
  EXPECT_THAT(everybody.names(), ElementsAre("www.example."));

  const auto only_corp = forwarding({}, options);
  EXPECT_EQ(dig(only_corp, "+short www.corp.example"), "10.1.1.2\n");
  EXPECT_THAT(dig(only_corp, "www.example"), HasSubstr("status: REFUSED"));
  EXPECT_EQ(dig(only_corp, "+short web.service.consul"), "10.0.0.1\n");
}

TEST_F(ForwarderTest, AnAliasOfOursIsFollowedThroughTheCache) {
  ScriptedServer upstream([](const Message& query, net::Transport) { return std::vector{address_reply(query, 300)}; });
  const auto server = forwarding({upstream.address()});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(dig(server, "+short outside.service.consul"), "db.corp.\n10.1.1.1\n");
  EXPECT_EQ(dig(server, "+short db.corp"), "10.1.1.1\n");
  EXPECT_THAT(upstream.names(), ElementsAre("db.corp."));
}

TEST_F(ForwarderTest, QuestionsWithoutRecursionGoAsTheyCame) {
  std::atomic<int> recursive{0};
  ScriptedServer upstream([&recursive](const Message& query, net::Transport) {
    if (query.header.recursion_desired) ++recursive;
    return std::vector{address_reply(query, 300)};
  });
  const auto server = forwarding({upstream.address()});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(dig(server, "+short +norecurse www.corp"), "10.1.1.1\n");
  EXPECT_EQ(upstream.over_udp(), 2);
  EXPECT_EQ(recursive, 0);
}

TEST_F(ForwarderTest, AQuestionThatComesBackIsAnsweredServfail) {
  const std::uint16_t port = test::free_port();
  DnsOptions options;
  options.recursor_timeout = patience;
  const auto server = forwarding({fmt::format("127.0.0.1:{}", port)}, std::move(options));
  // Its only server are we.
  const Dnsmasq other(port, {fmt::format("--server=127.0.0.1#{}", server.port()), "--cache-size=0"});
  ASSERT_TRUE(eventually([&] { return dig(loopback(port), "+short web.service.consul") == "10.0.0.1\n"; }));
  EXPECT_THAT(dig(server, "+time=15 www.corp"), HasSubstr("status: SERVFAIL"));
  EXPECT_GE(counters().loops.value(), 1U);
  EXPECT_LT(counters().upstream_queries.value(), 20U);
  EXPECT_EQ(dig(server, "+short web.service.consul"), "10.0.0.1\n");
}

TEST_F(ForwarderTest, LogsWhoAskedWhatAndWhereTheAnswerCameFrom) {
  ScriptedServer upstream([](const Message& query, net::Transport) { return std::vector{address_reply(query, 300)}; });
  const auto server = forwarding({upstream.address()});
  dig(server, "web.service.consul SRV");
  dig(server, "www.corp");
  dig(server, "+tcp www.corp");
  dig(server, "nosuch.service.consul");
  std::uint64_t after = 0;
  const auto log = servers_.back()->log().since(after);
  std::vector<std::string> lines;
  for (const auto& one : log) {
    const auto text = to_text(one);
    lines.push_back(text.substr(text.find(' ') + 1, text.rfind(' ') - text.find(' ') - 1));
  }
  EXPECT_THAT(lines, ElementsAre("127.0.0.1 SRV web.service.consul. NOERROR registry",
                                 "127.0.0.1 A www.corp. NOERROR upstream", "127.0.0.1 A www.corp. NOERROR cache",
                                 "127.0.0.1 A nosuch.service.consul. NXDOMAIN registry"));
  EXPECT_THAT(servers_.back()->report().detail,
              HasSubstr("answers for consul; 4 queries, 1 NXDOMAIN, 50% of the forwarded ones from cache"));
}

}  // namespace
}  // namespace devstack::dns
