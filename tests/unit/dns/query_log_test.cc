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
  log.add(query);
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
  log.add(query);
  std::uint64_t after = 0;
  EXPECT_EQ(log.since(after).at(0).name, query.name);
}

TEST(QueryLog, KeepsTheLastOnesAndReturnsTheLastAskedFor) {
  QueryLog log;
  for (std::uint32_t i = 0; i < 3000; ++i) log.add(numbered(i));
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
    for (std::uint32_t i = 0; i < total; ++i) log.add(numbered(i));
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

TEST(Journal, SumsUp) {
  Journal journal;
  EXPECT_EQ(summary(journal.counters), "");
  auto query = numbered(1);
  journal.note(query);
  EXPECT_EQ(summary(journal.counters), "1 query");
  query.source = Source::cache;
  for (int i = 0; i < 3; ++i) journal.note(query);
  query.source = Source::upstream;
  query.rcode = Rcode::servfail;
  journal.note(query);
  EXPECT_EQ(summary(journal.counters), "5 queries, 75% of the forwarded ones from cache");
  EXPECT_EQ(journal.counters.by_rcode[2].value(), 1U);
  EXPECT_EQ(journal.counters.of(Source::cache).value(), 3U);
}

}  // namespace
}  // namespace devstack::dns
