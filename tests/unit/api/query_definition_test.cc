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
  const auto again = registry::read_definition(query_text(read));
  ASSERT_TRUE(again);
  EXPECT_EQ(query_text(*again), query_text(read));
}

TEST(PreparedQuery, SaysWhatIsWrong) {
  EXPECT_EQ(validate_query(query(R"({"Name":"q"})")).error().message,
            "Invalid prepared query: Must provide a Service name to query");
  EXPECT_EQ(validate_query(query(R"({"Name":"q","Service":{"Service":"x"},"DNS":{"TTL":"-1s"}})")).error().message,
            "Invalid prepared query: DNS TTL '-1000000000', must be >=0");
}

TEST(PreparedQuery, BelongsToASessionUnlessItHasANameOrIsATemplate) {
  EXPECT_EQ(validate_query(query(R"({"Service":{"Service":"x"}})")).error().message,
            "Invalid prepared query: Must be bound to a session");
  EXPECT_TRUE(validate_query(query(R"({"Session":"s","Service":{"Service":"x"}})")));
  EXPECT_TRUE(validate_query(query(R"({"Template":{"Type":"name_prefix_match"},"Service":{"Service":"x"}})")));
}

std::string template_error(const std::string& tag) {
  const auto compiled = compile_template(query(
      R"({"Name":"t","Template":{"Type":"name_prefix_match"},"Service":{"Service":"a","Tags":[")" + tag + R"("]}})"));
  return compiled ? "" : compiled.error().message;
}

TEST(PreparedQuery, TemplateThatCannotBeFilledInIsRefused) {
  EXPECT_EQ(template_error("${name.full}-${match(0)}"), "");
  EXPECT_EQ(template_error("$${x} a}b $"), "");
  EXPECT_EQ(
      template_error("${name.full"),
      "failed compiling template: Bad format '${name.full' in Service.Tags[0]: parse error at 1:12: expected \"}\" "
      "but found end of string");
  EXPECT_EQ(
      template_error("${}"),
      "failed compiling template: Bad format '${}' in Service.Tags[0]: parse error at 1:3: expected expression but "
      "found \"}\"");
  EXPECT_EQ(template_error("${name.bogus}"),
            "failed compiling template: Bad evaluation for '${name.bogus}' in Service.Tags[0]: 1:3: unknown variable "
            "accessed: name.bogus");
  EXPECT_EQ(template_error("${match(1,2)}"),
            "failed compiling template: Bad evaluation for '${match(1,2)}' in Service.Tags[0]: 1:3: match: expected 1 "
            "arguments, got 2");
  EXPECT_EQ(template_error("${upper(name.full)}"),
            "failed compiling template: Bad evaluation for '${upper(name.full)}' in Service.Tags[0]: 1:3: unknown "
            "function called: upper");
}

TEST(PreparedQuery, TemplateIsFilledInFromTheAskedName) {
  const auto read =
      query(R"({"Name":"geo-","Template":{"Type":"name_prefix_match","Regexp":"^geo-(.*)-([a-z]+)$"},)"
            R"("Service":{"Service":"${match(1)}","Tags":["${match(2)}","${name.suffix}","${match(9)}"]}})");
  const auto filled = render_query(read, "geo-web-primary");
  ASSERT_TRUE(filled);
  EXPECT_EQ(filled->service, "web");
  EXPECT_EQ(filled->tags, (std::vector<std::string>{"primary", "web-primary", ""}));
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
