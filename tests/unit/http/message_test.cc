#include "core/http/message.h"

#include <gtest/gtest.h>

namespace devstack::http {
namespace {

TEST(HttpHeaders, NamesCompareWithoutCase) {
  const Headers headers{{"Content-Type", "a"}, {"X-One", "1"}};
  EXPECT_EQ(headers.get("content-TYPE"), "a");
  EXPECT_EQ(headers.get("X-One-More"), std::nullopt);
}

TEST(HttpHeaders, SetReplacesEveryFieldAddKeepsThem) {
  Headers headers{{"A", "1"}, {"B", "2"}, {"a", "3"}};
  headers.add("A", "4");
  EXPECT_EQ(headers.get("A"), "1");
  headers.set("A", "5");
  std::string all;
  for (const auto& [name, value] : headers) all += name + "=" + value + ";";
  EXPECT_EQ(all, "B=2;A=5;");
}

TEST(HttpRequest, TargetSplitsAtTheFirstQuestionMark) {
  Request request;
  request.target = "/v1/kv/a%2Fb?x=1?2";
  EXPECT_EQ(request.raw_path(), "/v1/kv/a%2Fb");
  EXPECT_EQ(request.raw_query(), "x=1?2");
  request.target = "/plain";
  EXPECT_EQ(request.raw_path(), "/plain");
  EXPECT_EQ(request.raw_query(), "");
}

TEST(HttpResponse, TextAndJsonNameTheirType) {
  EXPECT_EQ(text(404, "no").headers.get("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(text(404, "no").status, 404);
  EXPECT_EQ(json(200, "{}").headers.get("Content-Type"), "application/json");
}

TEST(SseEvent, EveryLineOfTheDataIsAField) {
  EXPECT_EQ(sse_event("state", "one\ntwo"), "event: state\ndata: one\ndata: two\n\n");
  EXPECT_EQ(sse_event("", "x"), "data: x\n\n");
  EXPECT_EQ(sse_event("e", ""), "event: e\ndata: \n\n");
  EXPECT_EQ(sse_event("", "a\r\nb\rc\n"), "data: a\ndata: b\ndata: c\ndata: \n\n");
}

}  // namespace
}  // namespace devstack::http
