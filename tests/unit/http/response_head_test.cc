#include "core/http/response_head.h"

#include <gtest/gtest.h>

namespace devstack::http {
namespace {

std::string head_of(const Response& response, const HeadContext& context) {
  std::string out;
  append_head(out, response, context);
  return out;
}

TEST(ResponseHead, AddsLengthAndNothingElse) {
  Response response;
  response.body = "hello";
  EXPECT_EQ(head_of(response, {}), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
}

TEST(ResponseHead, FramingFieldsOfTheHandlerAreReplaced) {
  Response response = text(404, "gone");
  response.headers.add("content-length", "999");
  response.headers.add("Transfer-Encoding", "gzip");
  response.headers.add("X-Index", "7");
  EXPECT_EQ(head_of(response, {}),
            "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\nX-Index: 7\r\n"
            "Content-Length: 4\r\n\r\n");
}

TEST(ResponseHead, HeadKeepsTheLengthTheHandlerNamed) {
  Response response;
  response.headers.add("Content-Length", "1234");
  HeadContext context;
  context.head_method = true;
  EXPECT_EQ(head_of(response, context), "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
}

TEST(ResponseHead, StatusWithoutBodyHasNoLength) {
  for (const int status : {204, 304}) {
    Response response;
    response.status = status;
    response.body = "never sent";
    EXPECT_EQ(framing_of(response, 11), Framing::none);
    EXPECT_EQ(head_of(response, {}).find("Content-Length"), std::string::npos);
  }
}

TEST(ResponseHead, LineBreaksInAValueStartNoField) {
  Response response;
  response.headers.add("Location", "/a\r\nSet-Cookie: x=1");
  EXPECT_EQ(head_of(response, {}), "HTTP/1.1 200 OK\r\nLocation: /a  Set-Cookie: x=1\r\nContent-Length: 0\r\n\r\n");
}

TEST(ResponseHead, StreamIsChunkedOrEndsWithTheConnection) {
  Response response;
  response.stream = [](BodyWriter&) -> asio::awaitable<void> { co_return; };
  EXPECT_NE(head_of(response, {}).find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(framing_of(response, 10), Framing::close);
}

TEST(ResponseHead, ConnectionFollowsTheVersion) {
  HeadContext old;
  old.version = 10;
  EXPECT_NE(head_of({}, old).find("Connection: keep-alive\r\n"), std::string::npos);
  HeadContext closing;
  closing.keep_alive = false;
  EXPECT_NE(head_of({}, closing).find("Connection: close\r\n"), std::string::npos);
}

TEST(HttpDate, HasTheImfFixdateForm) {
  HttpDate date;
  const std::string now(date.now());
  ASSERT_EQ(now.size(), 29U) << now;
  EXPECT_EQ(now.substr(25), " GMT");
}

}  // namespace
}  // namespace devstack::http
