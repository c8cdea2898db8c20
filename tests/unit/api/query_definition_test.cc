#include "core/api/query_definition.h"

#include <gtest/gtest.h>

namespace devstack::api {
namespace {

QueryDefinition query(std::string_view body) {
  const auto value = parse_json(body);
  std::string id;
  auto read = read_query(*value, id);
  EXPECT_TRUE(read) << read.error().message;
  return read ? *read : QueryDefinition{};
}

TEST(PreparedQuery, SurvivesBeingStored) {
  const auto read =
      query(R"({"Name":"q","Service":{"Service":"web","Tags":["a","!b"],"OnlyPassing":true},"DNS":{"TTL":"10s"}})");
  const auto again = query_from_text(query_text(read));
  ASSERT_TRUE(again);
  EXPECT_EQ(query_text(*again), query_text(read));
}

TEST(PreparedQuery, SaysWhatIsWrong) {
  EXPECT_EQ(validate_query(query(R"({"Name":"q"})")).error().message,
            "Invalid prepared query: Must provide a Service name to query");
  EXPECT_EQ(validate_query(query(R"({"Service":{"Service":"x"},"DNS":{"TTL":"-1s"}})")).error().message,
            "Invalid prepared query: DNS TTL '-1000000000', must be >=0");
}

TEST(PreparedQuery, TemplateIsFilledInFromTheAskedName) {
  const auto read =
      query(R"({"Name":"geo-","Template":{"Type":"name_prefix_match","Regexp":"^geo-(.*)-([a-z]+)$"},)"
            R"("Service":{"Service":"${match(1)}","Tags":["${match(2)}","${name.suffix}","${match(9)}"]}})");
  const auto filled = render_query(read, "geo-web-primary");
  EXPECT_EQ(filled.service, "web");
  EXPECT_EQ(filled.tags, (std::vector<std::string>{"primary", "web-primary", ""}));
}

TEST(PreparedQuery, DropsCriticalAlwaysAndWarningWhenOnlyPassing) {
  registry::Instance instance;
  instance.node = std::make_shared<registry::Node>();
  auto service = std::make_shared<registry::Service>();
  service->tags = {"a"};
  instance.service = service;
  auto check = std::make_shared<registry::Check>();
  check->id = "c";
  check->status = "warning";
  instance.checks = {check};
  auto wanted = query(R"({"Service":{"Service":"web","Tags":["A"]}})");
  EXPECT_TRUE(query_takes(wanted, instance));
  wanted.only_passing = true;
  EXPECT_FALSE(query_takes(wanted, instance));
  wanted.ignore_check_ids = {"c"};
  EXPECT_TRUE(query_takes(wanted, instance));
  wanted.tags = {"!a"};
  EXPECT_FALSE(query_takes(wanted, instance));
}

}  // namespace
}  // namespace devstack::api
