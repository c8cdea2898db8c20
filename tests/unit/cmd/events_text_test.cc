#include "cmd/devstack/events_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devstack {
namespace {

using ::testing::HasSubstr;

constexpr const char* kList = R"([
 {"ID":"id-1","Name":"deploy","Payload":"djEuMgo=","NodeFilter":"web.*","ServiceFilter":"api","TagFilter":"v1",
  "Version":1,"LTime":5},
 {"ID":"id-2","Name":"ping","Payload":null,"NodeFilter":"","ServiceFilter":"","TagFilter":"","Version":1,"LTime":6}])";

TEST(Events, ListIsReadAndShown) {
  const auto events = parse_events(kList);
  ASSERT_TRUE(events) << events.error().message;
  EXPECT_EQ(events->at(0).payload, "v1.2\n");
  EXPECT_EQ(events->at(1).ltime, 6U);
  EXPECT_EQ(events_table(*events),
            "ID    NAME    FOR                              PAYLOAD\n"
            "id-1  deploy  node=web.*, service=api, tag=v1  v1.2\\n\n"
            "id-2  ping    all                              -\n");
  EXPECT_EQ(event_line(events->at(0)), "id-1  deploy  v1.2\\n\n");
  EXPECT_EQ(events_table({}), "no events\n");
}

TEST(Events, BinaryPayloadsAreCountedNotPrinted) {
  FiredEvent event;
  event.payload = std::string("\0\x1b", 2);
  EXPECT_THAT(event_line(event), HasSubstr("(2 bytes)"));
  EXPECT_THAT(event_json(event), HasSubstr(R"("Payload":"ABs=")"));
}

TEST(Events, FireCarriesItsFilters) {
  FireOptions options{"deploy now", "", "web.*", "api", "v1"};
  const auto request = fire_request(options, "body");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method + " " + request->target, "PUT /v1/event/fire/deploy%20now?node=web.%2A&service=api&tag=v1");
  EXPECT_EQ(request->body, "body");
}

TEST(Events, ATagWithoutServiceIsAUsageError) {
  EXPECT_EQ(fire_request({"a", "", "", "", "v1"}, "").error().code, Errc::usage);
  EXPECT_EQ(fire_request({}, "").error().code, Errc::usage);
}

FiredEvent event(std::string id) {
  FiredEvent out;
  out.id = std::move(id);
  return out;
}

TEST(NewEvents, EachIsNewOnceAndAForgetfulServerStartsAgain) {
  NewEvents fresh;
  EXPECT_EQ(fresh.update({event("a"), event("b")}).size(), 2U);
  EXPECT_EQ(fresh.update({event("a"), event("b")}).size(), 0U);
  const auto more = fresh.update({event("b"), event("c")});
  ASSERT_EQ(more.size(), 1U);
  EXPECT_EQ(more.front().id, "c");
  EXPECT_EQ(fresh.update({}).size(), 0U);
  EXPECT_EQ(fresh.update({event("d")}).size(), 1U);
}

}  // namespace
}  // namespace devstack
