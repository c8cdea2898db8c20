#include "core/logs/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/logs/reader.h"

namespace devstack::logs {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(Record, BothFormsAreReadBack) {
  const Record record{1'700'000'000 * kSecond + 42, "web-2", Stream::err, "say \"hi\"\t\\"};
  EXPECT_EQ(to_json(record),
            R"({"time":"2023-11-14T22:13:20.000000042Z","unit":"web-2","stream":"stderr","text":"say \"hi\"\t\\"})");
  EXPECT_EQ(parse_record(to_json(record)), record);
  const auto kept = kept_line(record, {"abc", 7});
  EXPECT_EQ(kept.back(), '\n');
  auto read = parse_record(kept);
  ASSERT_TRUE(read);
  read->unit = "web-2";  // the file's name says it
  EXPECT_EQ(*read, record);
  EXPECT_EQ(origin_of(kept), (Origin{"abc", 7}));
  EXPECT_LT(kept_line_start(record.time), kept);
  EXPECT_GT(kept_line_start(record.time + 1), kept);
}

TEST(Record, WhatIsNoKeptLineIsNothing) {
  for (const auto* line : {"", "text", "{}", "[]", R"({"time":"soon","stream":"stdout","text":"x"})",
                           R"({"time":"2026-01-02T03:04:05Z","stream":"stdout"})", R"({"time":1})"}) {
    EXPECT_FALSE(parse_record(line)) << line;
    EXPECT_FALSE(origin_of(line)) << line;
  }
}

TEST(Record, TimesAreReadAsProgramsWriteThem) {
  EXPECT_EQ(format_time(0), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(parse_time("1970-01-01T00:00:01Z"), kSecond);
  EXPECT_EQ(parse_time("1970-01-01T00:00:01.5Z"), kSecond + kSecond / 2);
  EXPECT_EQ(parse_time("1970-01-01T01:00:01.000000001+01:00"), kSecond + 1);
  EXPECT_EQ(parse_time("1969-12-31T23:30:00-0030"), 0);
  for (const auto* wrong : {"", "1970", "1970-01-01", "1970-01-01T00:00:01", "1970-01-01T00:00:01.Zx",
                            "1970-13-01T00:00:00Z", "1970-01-01T00:00:00+xx:yy"}) {
    EXPECT_FALSE(parse_time(wrong)) << wrong;
  }
}

TEST(Record, SinceTakesSpansTimesAndSeconds) {
  const std::int64_t now = 1'700'000'000 * kSecond;
  EXPECT_EQ(parse_when("10m", now), now - 600 * kSecond);
  EXPECT_EQ(parse_when("1h30m", now), now - 5400 * kSecond);
  EXPECT_EQ(parse_when("1700000000", now), now);
  EXPECT_EQ(parse_when("1700000000.25", now), now + kSecond / 4);
  EXPECT_EQ(parse_when("2023-11-14T22:13:20Z", now), now);
  const auto day = parse_when("2023-11-14", now);
  const auto noon = parse_when("2023-11-14T12:00:00", now);
  ASSERT_TRUE(day && noon);
  EXPECT_EQ(*noon - *day, 43200 * kSecond);
  for (const auto* wrong : {"", "yesterday", "10", "12:00", "-5x", "1.2.3"}) {
    const auto parsed = parse_when(wrong, now);
    if (std::string_view(wrong) == "10") continue;  // ten seconds after 1970, as Docker takes it
    ASSERT_FALSE(parsed) << wrong;
    EXPECT_EQ(parsed.error().code, Errc::usage);
  }
}

TEST(Record, BrokenUtf8IsReplaced) {
  EXPECT_EQ(valid_utf8("plain é € 😀"), "plain é € 😀");
  EXPECT_EQ(valid_utf8("a\xFFz"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(valid_utf8("cut \xE2\x82"), "cut \xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(valid_utf8("\xC0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD");  // overlong
  EXPECT_EQ(valid_utf8("\xED\xA0\x80").size(), 9U);               // a surrogate
  EXPECT_TRUE(parse_record(kept_line({0, "", Stream::out, valid_utf8("\x80\x01")}, {"x", 1})));
}

TEST(Record, DevstacksOwnLinesBecomeRecords) {
  const auto line = "2026-01-02T03:04:05.006+00:00 info  [dns] listening";
  const auto any = parse_supervisor_line(line, "");
  ASSERT_TRUE(any);
  EXPECT_EQ(any->unit, "devstack");
  EXPECT_EQ(any->text, "info  [dns] listening");
  EXPECT_EQ(format_time(any->time), "2026-01-02T03:04:05.006000000Z");
  EXPECT_EQ(parse_supervisor_line(line, "dns")->unit, "dns");
  EXPECT_FALSE(parse_supervisor_line(line, "ui"));
  EXPECT_FALSE(parse_supervisor_line("a stack trace", ""));
}

}  // namespace
}  // namespace devstack::logs
