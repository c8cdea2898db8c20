#include "core/docker/frames.h"

#include <gtest/gtest.h>

namespace devstack::docker {
namespace {

std::string frame(char stream, std::string_view payload) {
  std::string out{stream, 0, 0, 0, 0, 0, static_cast<char>(payload.size() >> 8U), static_cast<char>(payload.size())};
  return out.append(payload);
}

TEST(LogDemultiplexer, BordersBetweenChunksMeanNothing) {
  const auto bytes = frame(1, "hello\n") + frame(2, "oops\n") + frame(1, "") + frame(1, std::string(300, 'x'));
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    std::string out, err;
    LogDemultiplexer frames(
        [&](LogStream stream, std::string_view text) { (stream == LogStream::out ? out : err).append(text); });
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      ASSERT_TRUE(frames.feed(std::string_view(bytes).substr(at, step))) << step;
    }
    EXPECT_EQ(out, "hello\n" + std::string(300, 'x')) << step;
    EXPECT_EQ(err, "oops\n") << step;
  }
}

TEST(LogDemultiplexer, UnframedTextIsAnError) {
  LogDemultiplexer frames([](LogStream, std::string_view) { FAIL() << "nothing can be known of it"; });
  const auto fed = frames.feed("plain text of a tty");
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, Errc::parse);
}

TEST(JsonSplitter, ObjectsAcrossChunksAndSeveralPerChunk) {
  const std::string first = R"({"a":"}{\"","b":[{"c":1}]})";
  const std::string second = R"({"d":"\\"})";
  const auto bytes = first + "\r\n" + second + second + "\n";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    std::vector<std::string> seen;
    JsonSplitter objects([&](std::string_view text) { seen.emplace_back(text); });
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      ASSERT_TRUE(objects.feed(std::string_view(bytes).substr(at, step))) << step;
    }
    EXPECT_EQ(seen, (std::vector<std::string>{first, second, second})) << step;
  }
}

TEST(JsonSplitter, WhatIsNoObjectIsAnError) {
  JsonSplitter objects([](std::string_view) {});
  EXPECT_EQ(objects.feed("{} <html>").error().code, Errc::parse);
}

TEST(JsonSplitter, AnObjectIsBoundedHoweverItComes) {
  const std::string large = "{\"a\":\"" + std::string(100, 'x') + "\"}";
  JsonSplitter splitter([](std::string_view) { FAIL() << "over the bound"; }, 100);
  const auto fed = splitter.feed(large);
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, Errc::too_large);
}

TEST(JsonSplitter, AnObjectWithoutEndIsBounded) {
  JsonSplitter objects([](std::string_view) {}, 64);
  EXPECT_TRUE(objects.feed("{\"a\":\"" + std::string(40, 'x')));
  const auto fed = objects.feed(std::string(40, 'x'));
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, Errc::too_large);
}

}  // namespace
}  // namespace devstack::docker
