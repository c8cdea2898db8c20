#include "core/api/json_writer.h"

#include <gtest/gtest.h>

namespace devstack::api {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonWriter, SeparatesMembersAndElements) {
  JsonWriter out;
  out.open_object();
  out.field("a", 1);
  out.key("b");
  out.open_array();
  out.number(2);
  out.null();
  out.open_object();
  out.close_object();
  out.close_array();
  out.field("c", "x");
  out.close_object();
  EXPECT_EQ(out.text(), R"({"a":1,"b":[2,null,{}],"c":"x"})");
}

TEST(JsonWriter, WritesUnsigned64BitNumbersWhole) {
  JsonWriter out;
  out.number(std::uint64_t{0xe0f69a2baa414de0});
  EXPECT_EQ(out.text(), "16210313421097356768");
}

TEST(JsonString, EscapesAsGoDoes) {
  EXPECT_EQ(quoted("a\"b\\c\n\r\t\x01"), R"("a\"b\\c\n\r\t\u0001")");
  EXPECT_EQ(quoted("<a href=\"x\">&"), R"("\u003ca href=\"x\"\u003e\u0026")");
  EXPECT_EQ(quoted("\xE2\x80\xA8"), R"("\u2028")");
  EXPECT_EQ(quoted("t\xC3\xBCk\xF0\x9F\x98\x80"), "\"t\xC3\xBCk\xF0\x9F\x98\x80\"");
}

TEST(JsonString, ReplacesInvalidUtf8) {
  EXPECT_EQ(quoted("a\xFFz"), R"("a\ufffdz")");
  EXPECT_EQ(quoted("\xC3"), R"("\ufffd")");
  EXPECT_EQ(quoted("\xED\xA0\x80"), R"("\ufffd\ufffd\ufffd")");
}

TEST(PrettyJson, IndentsByFourAndEndsTheLine) {
  EXPECT_EQ(pretty_json(R"({"a":[1,{"b":"x,{\"y"}],"c":{},"d":[]})"),
            "{\n    \"a\": [\n        1,\n        {\n            \"b\": \"x,{\\\"y\"\n        }\n    ],\n"
            "    \"c\": {},\n    \"d\": []\n}\n");
  EXPECT_EQ(pretty_json("true"), "true\n");
}

}  // namespace
}  // namespace devstack::api
