#include "core/http/parser.h"

#include <gtest/gtest.h>

#include <cstring>

namespace devstack::http {
namespace {

void put(ReadBuffer& buffer, std::string_view bytes) {
  const auto room = buffer.prepare(bytes.size());
  std::memcpy(room.data(), bytes.data(), bytes.size());
  buffer.commit(bytes.size());
}

Parse parse_by(std::size_t step, std::string_view bytes, RequestParser& parser, ReadBuffer& buffer) {
  Parse parsed = Parse::need_more;
  while (!bytes.empty() && parsed == Parse::need_more) {
    put(buffer, bytes.substr(0, step));
    bytes.remove_prefix(std::min(step, bytes.size()));
    parsed = parser.feed(buffer);
  }
  return parsed;
}

TEST(RequestParser, BordersBetweenReadsMeanNothing) {
  const std::string_view wire =
      "PUT /v1/kv/a%2Fb?cas=1 HTTP/1.1\r\nHost: x\r\nX-Token: a b \r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\n\r\n";
  for (std::size_t step = 1; step <= wire.size(); ++step) {
    RequestParser parser(4096, 100);
    ReadBuffer buffer;
    ASSERT_EQ(parse_by(step, wire, parser, buffer), Parse::done) << step << ": " << parser.error().message();
    EXPECT_EQ(parser.request.method, "PUT");
    EXPECT_EQ(parser.request.target, "/v1/kv/a%2Fb?cas=1");
    EXPECT_EQ(parser.request.headers.get("x-token"), "a b");
    EXPECT_EQ(parser.request.body, "abcdefg");
    EXPECT_TRUE(buffer.empty());
  }
}

TEST(RequestParser, AnEmptyChunkedBodyMayEndByteByByte) {
  const std::string_view wire = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  for (std::size_t step = 1; step <= wire.size(); ++step) {
    RequestParser parser(4096, 100);
    ReadBuffer buffer;
    ASSERT_EQ(parse_by(step, wire, parser, buffer), Parse::done) << step << ": " << parser.error().message();
    EXPECT_EQ(parser.request.body, "");
    EXPECT_TRUE(buffer.empty());
  }
}

TEST(ResponseParser, GivesAChunkAsFarAsItCame) {
  std::string seen;
  ResponseParser parser(nullptr, [&seen](std::string_view bytes) { seen += bytes; });
  ReadBuffer buffer;
  put(buffer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
  EXPECT_EQ(parser.feed(buffer), Parse::need_more);
  put(buffer, "lo\r\n");
  EXPECT_EQ(parser.feed(buffer), Parse::need_more);
  EXPECT_EQ(seen, "hello");
}

TEST(RequestParser, LeavesThePipelinedRequestInTheBuffer) {
  RequestParser parser(4096, 100);
  ReadBuffer buffer;
  put(buffer, "POST /1 HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiGET /2 HTTP/1.1\r\n\r\n");
  ASSERT_EQ(parser.feed(buffer), Parse::done);
  EXPECT_EQ(parser.request.body, "hi");
  EXPECT_EQ(buffer.data(), "GET /2 HTTP/1.1\r\n\r\n");
}

TEST(RequestParser, RefusesAmbiguousFraming) {
  for (const auto* wire : {
           "POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
           "POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
           "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
           "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
           "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
           "POST / HTTP/1.1\r\nName : x\r\n\r\n",
       }) {
    RequestParser parser(4096, 100);
    ReadBuffer buffer;
    put(buffer, wire);
    EXPECT_EQ(parser.feed(buffer), Parse::failed) << wire;
  }
}

TEST(RequestParser, HeaderLimitCountsAllFieldsTogether) {
  RequestParser parser(1024, 100);
  ReadBuffer buffer;
  put(buffer, "GET / HTTP/1.1\r\n");
  Parse parsed = parser.feed(buffer);
  for (int i = 0; i < 100 && parsed == Parse::need_more; ++i) {
    put(buffer, "X-Field: 0123456789012345678901234567890123456789\r\n");
    parsed = parser.feed(buffer);
  }
  EXPECT_EQ(parsed, Parse::failed);
  EXPECT_EQ(parser.error(), boost::beast::http::error::header_limit);
}

TEST(RequestParser, BodyLimitHoldsForChunksToo) {
  RequestParser parser(1024, 5);
  ReadBuffer buffer;
  put(buffer, "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n4\r\nabcd\r\n0\r\n\r\n");
  EXPECT_EQ(parser.feed(buffer), Parse::failed);
  EXPECT_EQ(parser.error(), boost::beast::http::error::body_limit);
}

}  // namespace
}  // namespace devstack::http
