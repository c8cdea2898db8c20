#include "core/dns/query_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "core/dns/journal.h"

namespace devstack::dns {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

LoggedQuery numbered(std::uint32_t number) {
  LoggedQuery query;
  query.unix_us = number;
  query.latency_us = number;
  query.client = boost::asio::ip::make_address("10.0.0.1");
  query.name = Name::parse(fmt::format("n{}.{}", number, std::string(number % 60 + 1, 'x'))).value();
  return query;
}

QueryNote note_of(const LoggedQuery& query) {
  return {query.unix_us, query.latency_us, query.client, query.name.wire(), query.type, query.rcode, query.source};
}

TEST(QueryLog, GivesBackWhatWasAdded) {
  QueryLog log;
  LoggedQuery query;
  query.unix_us = 1'700'000'000'012'345;
  query.latency_us = 99;
  query.client = boost::asio::ip::make_address("fd00::7");
  query.name = Name::parse("www.example.com").value();
  query.type = Type::srv;
  query.rcode = Rcode::nxdomain;
  query.source = Source::stale;
  log.add(note_of(query));
  std::uint64_t after = 0;
  const auto got = log.since(after);
  ASSERT_THAT(got, SizeIs(1));
  EXPECT_EQ(to_text(got[0]), "22:13:20.012345Z fd00::7 SRV www.example.com. NXDOMAIN stale 99µs");
  EXPECT_EQ(after, 1U);
  EXPECT_THAT(log.since(after), IsEmpty());
}

TEST(QueryLog, KeepsTheLongestName) {
  QueryLog log;
  LoggedQuery query;
  const std::string label(63, 'a');
  query.name = Name::parse(label + "." + label + "." + label + "." + std::string(61, 'b')).value();
  log.add(note_of(query));
  std::uint64_t after = 0;
  EXPECT_EQ(log.since(after).at(0).name, query.name);
}

TEST(QueryLog, KeepsTheLastOnesAndReturnsTheLastAskedFor) {
  QueryLog log;
  for (std::uint32_t i = 0; i < 3000; ++i) {
    const auto query = numbered(i);
    log.add(note_of(query));
  }
  std::uint64_t after = 0;
  auto got = log.since(after);
  ASSERT_THAT(got, SizeIs(QueryLog::capacity));
  EXPECT_EQ(got.front().latency_us, 3000 - QueryLog::capacity);
  EXPECT_EQ(got.back().latency_us, 2999U);
  after = 2990;
  got = log.since(after, 3);
  ASSERT_THAT(got, SizeIs(3));
  EXPECT_EQ(got.front().latency_us, 2997U);
  EXPECT_EQ(after, 3000U);
}

TEST(QueryLog, ReaderOnAnotherThreadSeesWholeEntriesInOrder) {
  QueryLog log;
  constexpr std::uint32_t total = 50'000;
  std::thread writer([&] {
    for (std::uint32_t i = 0; i < total; ++i) {
      const auto query = numbered(i);
      log.add(note_of(query));
    }
  });
  std::uint64_t after = 0;
  std::int64_t last = -1;
  bool ordered = true;
  bool whole = true;
  while (after < total) {
    for (const auto& query : log.since(after)) {
      ordered = ordered && query.unix_us > last;
      last = query.unix_us;
      whole = whole && query.name == numbered(query.latency_us).name && query.unix_us == query.latency_us;
    }
  }
  writer.join();
  EXPECT_TRUE(ordered);
  EXPECT_TRUE(whole);
}

TEST(QueryLog, SeveralThreadsAddAndNothingIsMissedOrTorn) {
  QueryLog log;
  constexpr std::uint32_t each = 20'000;
  constexpr std::uint32_t writers = 3;
  std::atomic<std::uint64_t> read = 0;
  std::vector<std::thread> threads;
  for (std::uint32_t writer = 0; writer < writers; ++writer) {
    threads.emplace_back([&, writer] {
      for (std::uint32_t i = 0; i < each; ++i) {
        // Never so far ahead that the reader's entries are written over: then all of them must come.
        while (log.count() - read > QueryLog::capacity / 8) std::this_thread::yield();
        const auto query = numbered(writer * each + i);
        log.add(note_of(query));
      }
    });
  }
  std::uint64_t after = 0;
  std::vector<std::uint32_t> next{0, each, 2 * each};
  bool as_added = true;
  while (after < writers * each) {
    for (const auto& query : log.since(after)) {
      auto& expected = next.at(query.latency_us / each);
      as_added = as_added && query.latency_us == expected && query.name == numbered(expected).name;
      ++expected;
    }
    read = after;
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(as_added);
  EXPECT_EQ(next, (std::vector<std::uint32_t>{each, 2 * each, 3 * each}));
}

TEST(Journal, CountsByNameAndKind) {
  QueryLog log;
  Journal journal(log);
  auto query = numbered(1);
  query.name = Name::parse("1.0.0.10.in-ADDR.arpa").value();
  query.unix_us = 1'700'000'000'000'000;
  journal.note(note_of(query));
  query.name = Name::parse("web.service.consul").value();
  NameCounters::Place place;
  journal.note(note_of(query), place);
  journal.note(note_of(query), place);
  EXPECT_EQ(journal.reverse.total().count, 1U);
  EXPECT_EQ(journal.own.total().count, 2U);
  query.source = Source::upstream;
  journal.note(note_of(query), place);
  EXPECT_EQ(journal.own.total().count, 2U) << "Consul measures names of its own only";
  std::vector<NameCount> names;
  journal.names.add_to(names);
  EXPECT_EQ(most_asked(std::move(names), 1).at(0).total(), 3U);
}

TEST(Journal, SumsUp) {
  QueryLog log;
  Journal journal(log);
  EXPECT_EQ(summary(journal.counters), "");
  auto query = numbered(1);
  journal.note(note_of(query));
  EXPECT_EQ(summary(journal.counters), "1 query");
  query.source = Source::cache;
  for (int i = 0; i < 3; ++i) journal.note(note_of(query));
  query.source = Source::upstream;
  query.rcode = Rcode::servfail;
  journal.note(note_of(query));
  EXPECT_EQ(summary(journal.counters), "5 queries, 1 SERVFAIL, 75% of the forwarded ones from cache");
  EXPECT_EQ(journal.counters.by_rcode[2].value(), 1U);
  EXPECT_EQ(journal.counters.of(Source::cache).value(), 3U);
}

}  // namespace
}  // namespace devstack::dns
