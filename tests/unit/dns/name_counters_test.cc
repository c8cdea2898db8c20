#include "core/dns/name_counters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "core/dns/query_times.h"

namespace devstack::dns {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

Name named(const std::string& text) { return Name::parse(text).value(); }

std::vector<NameCount> all_of(const NameCounters& counters) {
  std::vector<NameCount> out;
  counters.add_to(out);
  return most_asked(std::move(out), NameCounters::capacity);
}

TEST(NameCounters, CountsANameByCodeWithoutRegardToItsCase) {
  NameCounters counters;
  counters.raise(named("Web.Consul").wire(), Rcode::noerror, true);
  const auto place = counters.raise(named("web.consul").wire(), Rcode::nxdomain, false);
  EXPECT_TRUE(counters.raise(place, static_cast<Rcode>(15), false));
  counters.raise(named("db.consul").wire(), Rcode::servfail, false);
  const auto got = all_of(counters);
  ASSERT_THAT(got, SizeIs(2));
  EXPECT_EQ(got[0].name.wire(), named("web.consul").wire());
  EXPECT_THAT(got[0].by_rcode, ElementsAre(1, 0, 0, 1, 0, 0, 1));
  EXPECT_TRUE(got[0].ours);
  EXPECT_EQ(got[1].total(), 1U);
  EXPECT_FALSE(got[1].ours);
}

TEST(NameCounters, NamesThatAreMadeUpDoNotPushOutTheOneThatIsAskedForOften) {
  NameCounters counters;
  const auto web = named("web.consul");
  for (int i = 0; i < 1000; ++i) counters.raise(web.wire(), Rcode::noerror, true);
  for (int i = 0; i < 100'000; ++i) counters.raise(named(fmt::format("x{}.consul", i)).wire(), Rcode::nxdomain, false);
  const auto got = all_of(counters);
  EXPECT_EQ(got.front().name, web);
  EXPECT_EQ(got.front().total(), 1000U);
  EXPECT_LE(got.size(), NameCounters::capacity);
}

TEST(NameCounters, AnOldPlaceDoesNotCountForTheNameThatMovedIn) {
  NameCounters counters;
  const auto place = counters.raise(named("first.consul").wire(), Rcode::noerror, false);
  for (int i = 0; i < 100'000; ++i) counters.raise(named(fmt::format("x{}.consul", i)).wire(), Rcode::noerror, false);
  EXPECT_FALSE(counters.raise(place, Rcode::noerror, false));
  EXPECT_FALSE(counters.raise(NameCounters::Place{}, Rcode::noerror, false));
}

TEST(NameCounters, SumsUpThoseOfSeveralThreads) {
  NameCounters one;
  NameCounters two;
  one.raise(named("web.consul").wire(), Rcode::noerror, false);
  two.raise(named("WEB.consul").wire(), Rcode::noerror, true);
  two.raise(named("db.consul").wire(), Rcode::noerror, false);
  std::vector<NameCount> sum;
  one.add_to(sum);
  two.add_to(sum);
  sum = most_asked(std::move(sum), 1);
  ASSERT_THAT(sum, SizeIs(1));
  EXPECT_EQ(sum[0].total(), 2U);
  EXPECT_TRUE(sum[0].ours);
}

TEST(NameCounters, AReaderOnAnotherThreadSeesWholeNames) {
  NameCounters counters;
  std::atomic<bool> ended = false;
  std::thread writer([&] {
    for (int i = 0; i < 200'000; ++i) {
      const std::string label(static_cast<std::size_t>(i % 50 + 1), static_cast<char>('a' + i % 26));
      counters.raise(named(fmt::format("{}.{}{}", label, label, i)).wire(), Rcode::noerror, false);
    }
    ended = true;
  });
  bool whole = true;
  while (!ended) {
    for (const auto& one : all_of(counters)) {
      const auto labels = one.name.labels();
      whole = whole && labels.size() == 2 && labels[1].starts_with(labels[0]) &&
              labels[0].find_first_not_of(labels[0][0]) == std::string_view::npos;
    }
  }
  writer.join();
  EXPECT_TRUE(whole);
}

TEST(QueryTimes, TellsTheLastWholeIntervalAndAllOfThem) {
  QueryTimes times;
  constexpr std::int64_t start = 1'700'000'000;
  times.add(10, start);
  times.add(30, start + 9);
  EXPECT_EQ(times.finished(start + 9).count, 0U);
  times.add(500, start + 10);
  const auto finished = times.finished(start + 15);
  EXPECT_EQ(finished.count, 2U);
  EXPECT_EQ(finished.sum, 40U);
  EXPECT_EQ(finished.squares, 1000U);
  EXPECT_EQ(finished.least, 10U);
  EXPECT_EQ(finished.most, 30U);
  EXPECT_EQ(times.finished(start + 45).count, 0U) << "nothing was asked in the interval before";
  EXPECT_EQ(times.total().count, 3U);
  EXPECT_EQ(times.total().most, 500U);
  auto sum = times.total();
  sum.add(Times{});
  sum.add(finished);
  EXPECT_EQ(sum.count, 5U);
  EXPECT_EQ(sum.least, 10U);
}

}  // namespace
}  // namespace devstack::dns
