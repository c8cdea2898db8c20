#include "core/host/daemon_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devstack::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string edited(std::string_view text) {
  const auto out = put_first(text, "daemon.json", "dns", "172.17.0.1");
  return out ? *out : out.error().to_string();
}

TEST(DaemonJson, IsMadeWhereThereIsNone) {
  EXPECT_EQ(edited(""), "{\n  \"dns\": [\"172.17.0.1\"]\n}\n");
  EXPECT_EQ(edited(" \n"), "{\n  \"dns\": [\"172.17.0.1\"]\n}\n");
  EXPECT_EQ(edited("{}\n"), "{\n  \"dns\": [\"172.17.0.1\"]\n}\n");
}

TEST(DaemonJson, EverythingElseKeepsItsOrderAndLayout) {
  EXPECT_EQ(edited("{\n\t\"log-opts\": {\"a\": \"}],\"},\n\t\"bip\":\"172.17.0.1/16\"\n}"),
            "{\n\t\"log-opts\": {\"a\": \"}],\"},\n\t\"bip\":\"172.17.0.1/16\",\n\t\"dns\": [\"172.17.0.1\"]\n}");
  EXPECT_EQ(edited(R"({"debug":true})"), R"({"debug":true,"dns": ["172.17.0.1"]})");
  EXPECT_EQ(edited(R"({ "debug" : true , "x" : -1.5e3 })"),
            R"({ "debug" : true , "x" : -1.5e3, "dns": ["172.17.0.1"] })");
}

TEST(DaemonJson, OursComesBeforeTheServersThatAreThere) {
  EXPECT_EQ(edited(R"({"dns": ["10.0.0.1", "10.0.0.2"], "a": 1})"),
            R"({"dns": ["172.17.0.1", "10.0.0.1", "10.0.0.2"], "a": 1})");
  EXPECT_EQ(edited("{\"dns\": [\n    \"10.0.0.1\"\n  ]}"), "{\"dns\": [\n    \"172.17.0.1\",\n    \"10.0.0.1\"\n  ]}");
  EXPECT_EQ(edited(R"({"dns": []})"), R"({"dns": ["172.17.0.1"]})");
  EXPECT_EQ(edited(R"({"dns": ["10.0.0.1","172.17.0.1"]})"), R"({"dns": ["172.17.0.1", "10.0.0.1"]})");
}

TEST(DaemonJson, IsLeftAloneWhereOursIsFirstAlready) {
  for (const char* text : {R"({"dns":["172.17.0.1"]})", "{\n \"dns\" : [ \"172.17.0.1\",\"10.0.0.1\" ] }"}) {
    EXPECT_EQ(edited(text), text);
  }
}

TEST(DaemonJson, AKeyInsideAnotherObjectIsNotOurs) {
  EXPECT_EQ(edited(R"({"x": {"dns": ["1.1.1.1"]}, "s": "\"dns\": []"})"),
            R"({"x": {"dns": ["1.1.1.1"]}, "s": "\"dns\": []", "dns": ["172.17.0.1"]})");
}

TEST(DaemonJson, ErrorsCarryTheirPlace) {
  EXPECT_THAT(edited("{\n  \"a\": 1,\n  oops\n}"), HasSubstr("daemon.json:3:3: this is not JSON"));
  EXPECT_THAT(edited("{\"a\": 1"), HasSubstr("daemon.json:1:8: "));
  EXPECT_THAT(edited("{} x"), HasSubstr("daemon.json:1:4: "));
  EXPECT_THAT(edited("[]"), HasSubstr("daemon.json:1:1: an object is wanted"));
  EXPECT_THAT(edited("{\n \"dns\": \"10.0.0.1\"}"), HasSubstr("daemon.json:2:9: \"dns\" should be a list"));
  EXPECT_THAT(edited("{\"dns\": [1]}"), HasSubstr("should be a list of strings"));
}

TEST(DaemonJson, ItsListsCanBeRead) {
  EXPECT_THAT(list_of(R"({"dns": ["a", "b"]})", "dns"), ElementsAre("a", "b"));
  for (const char* text : {"", "{", "[]", R"({"dns": 1})", R"({"other": ["a"]})"}) {
    EXPECT_THAT(list_of(text, "dns"), IsEmpty());
  }
}

}  // namespace
}  // namespace devstack::host
