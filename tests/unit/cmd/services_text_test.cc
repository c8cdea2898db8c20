#include "cmd/devstack/services_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devstack {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kHealth = R"([
 {"Node":{"Node":"n1","Address":"10.0.0.1"},
  "Service":{"ID":"web-1","Service":"web","Tags":["v1","blue"],"Address":"172.17.0.2","Port":80},
  "Checks":[{"CheckID":"serfHealth","Name":"Serf Health Status","Status":"passing","Output":"Agent alive"},
            {"CheckID":"c","Name":"http","Status":"warning","Output":"429\r\nslow\n"}]},
 {"Node":{"Node":"n2","Address":"fd00::1"},
  "Service":{"ID":"web-2","Service":"web","Tags":null,"Address":"","Port":8080},"Checks":[]},
 {"Node":{"Node":"n2","Address":"10.0.0.3"},
  "Service":{"ID":"web-3","Service":"web","Tags":["v2"],"Address":"","Port":0},
  "Checks":[{"CheckID":"_service_maintenance:web-3","Status":"critical","Output":""}]}])";

TEST(Services, InstancesHaveAPlaceAndTheWorstStatusOfTheirChecks) {
  const auto instances = parse_instances(kHealth);
  ASSERT_TRUE(instances) << instances.error().message;
  ASSERT_EQ(instances->size(), 3U);
  EXPECT_EQ(instances->at(0).address, "172.17.0.2:80");
  EXPECT_EQ(instances->at(0).status, "warning");
  EXPECT_EQ(instances->at(1).address, "[fd00::1]:8080");
  EXPECT_EQ(instances->at(1).status, "passing");
  EXPECT_EQ(instances->at(2).address, "10.0.0.3");
  EXPECT_EQ(instances->at(2).status, "maintenance");
}

TEST(Services, SummaryCountsAndCollects) {
  const auto summary = summarise("web", *parse_instances(kHealth));
  EXPECT_EQ(summary.instances, 3U);
  EXPECT_EQ(summary.passing, 1U);
  EXPECT_THAT(summary.addresses, ElementsAre("172.17.0.2:80", "[fd00::1]:8080", "10.0.0.3"));
  EXPECT_THAT(summary.tags, ElementsAre("blue", "v1", "v2"));
}

TEST(Services, TableAlignsItsColumns) {
  ServiceSummary consul{"consul", 1, 1, {"127.0.0.1:8300"}, {}};
  ServiceSummary web{"web", 4, 3, {"a:1", "b:1", "c:1", "d:1"}, {"v1", "v2"}};
  EXPECT_EQ(services_table({consul, web}),
            "NAME    INSTANCES  PASSING  ADDRESSES                TAGS\n"
            "consul  1          1        127.0.0.1:8300           -\n"
            "web     4          3        a:1, b:1, c:1 (+1 more)  v1,v2\n");
  EXPECT_EQ(services_table({}), "no services in this registry\n");
}

TEST(Services, InstancesAreFollowedByTheirChecksOnOneLineEach) {
  const auto text = instances_text(*parse_instances(kHealth));
  EXPECT_THAT(text, HasSubstr("web-1  n1    172.17.0.2:80   warning      v1,blue\n"));
  EXPECT_THAT(text, HasSubstr("    passing  Serf Health Status: Agent alive\n"));
  EXPECT_THAT(text, HasSubstr("    warning  http: 429\\x0d\\nslow\n"));
}

TEST(Services, WhatTheRegistrySaysCannotMoveTheCursor) {
  ServiceSummary odd{"\x1b[2Jx", 1, 1, {"a"}, {"\r"}};
  const auto table = services_table({odd});
  EXPECT_EQ(table.find('\x1b'), std::string::npos);
  EXPECT_EQ(table.find('\r'), std::string::npos);
}

TEST(Services, JsonHasWhatTheTablesHave) {
  const auto instances = *parse_instances(kHealth);
  EXPECT_EQ(services_json({summarise("web", instances)}),
            R"([{"name":"web","instances":3,"passing":1,"addresses":["172.17.0.2:80","[fd00::1]:8080","10.0.0.3"],)"
            R"("tags":["blue","v1","v2"]}])");
  EXPECT_THAT(
      instances_json(instances),
      HasSubstr(R"({"id":"web-3","node":"n2","address":"10.0.0.3","status":"maintenance","tags":["v2"],"checks":)"
                R"([{"id":"_service_maintenance:web-3","name":"","status":"critical","output":""}]})"));
}

TEST(Services, NamesAreSorted) {
  EXPECT_THAT(*parse_service_names(R"({"web":["v1"],"consul":[]})"), ElementsAre("consul", "web"));
  EXPECT_FALSE(parse_service_names("[]"));
  EXPECT_FALSE(parse_service_names("<html>"));
}

}  // namespace
}  // namespace devstack
