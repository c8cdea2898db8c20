#include "core/api/bexpr.h"

#include <gtest/gtest.h>

#include "core/api/select.h"

namespace devstack::api {
namespace {

registry::Instance instance() {
  auto node = std::make_shared<registry::Node>();
  node->name = "n1";
  node->meta = {{"rack", "r2"}};
  auto service = std::make_shared<registry::Service>();
  service->name = "web";
  service->id = "web-1";
  service->port = 8080;
  service->tags = {"primary", "v1"};
  service->meta = {{"version", "1.2"}};
  service->tagged_addresses = {{"lan", {"10.0.0.1", 80}}};
  auto passing = std::make_shared<registry::Check>();
  passing->id = "a";
  passing->status = "passing";
  auto failing = std::make_shared<registry::Check>();
  failing->id = "b";
  failing->status = "critical";
  return {node, service, {passing, failing}};
}

bool matches(std::string_view text) {
  const auto parsed = bexpr::Expression::parse(text, instance_schema());
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().message);
  const auto row = instance();
  return parsed && parsed->matches(&row);
}

std::string error(std::string_view text) {
  const auto parsed = bexpr::Expression::parse(text, instance_schema());
  return parsed ? "no error" : parsed.error().message;
}

TEST(Bexpr, ComparesTextNumbersAndLists) {
  EXPECT_TRUE(matches(R"(Service.Service == "web")"));
  EXPECT_TRUE(matches("Service.Service==web"));
  EXPECT_FALSE(matches("Service.Service != web"));
  EXPECT_TRUE(matches("Service.Port == 8080"));
  EXPECT_FALSE(matches("Service.Port != 8080"));
  EXPECT_TRUE(matches("primary in Service.Tags"));
  EXPECT_TRUE(matches("Service.Tags contains v1"));
  EXPECT_TRUE(matches("v2 not in Service.Tags"));
  EXPECT_TRUE(matches("Service.Tags not contains v2"));
  EXPECT_TRUE(matches("Service.Tags is not empty"));
  EXPECT_FALSE(matches("Service.Tags is empty"));
  EXPECT_TRUE(matches("Service.EnableTagOverride == false"));
  EXPECT_TRUE(matches("eb in Service.Service"));
}

TEST(Bexpr, BindsNotTighterThanAndThanOr) {
  EXPECT_TRUE(matches("Service.Port == 1 and Service.Port == 2 or Service.Port == 8080"));
  EXPECT_FALSE(matches("Service.Port == 1 and (Service.Port == 2 or Service.Port == 8080)"));
  EXPECT_TRUE(matches("not Service.Port == 1 and Service.Port == 8080"));
  EXPECT_FALSE(matches("not ( Service.Port == 1 or Service.Port == 8080 )"));
}

TEST(Bexpr, MissingMapKeyIsFalseForPositiveOperatorsButMatches) {
  EXPECT_TRUE(matches("Node.Meta.none matches \"^x\""));
  EXPECT_TRUE(matches("Node.Meta.none not matches \"^x\""));
  EXPECT_TRUE(matches(R"(Node.Meta.rack == "r2")"));
  EXPECT_TRUE(matches(R"(Node.Meta["rack"] matches "^r[0-9]$")"));
  EXPECT_FALSE(matches("Node.Meta.none == x"));
  EXPECT_TRUE(matches("Node.Meta.none != x"));
  EXPECT_TRUE(matches("rack in Node.Meta"));
  EXPECT_TRUE(matches("none not in Node.Meta"));
  EXPECT_TRUE(matches("Service.TaggedAddresses.lan.Port == 80"));
  EXPECT_FALSE(matches("Service.TaggedAddresses.wan.Port == 80"));
}

TEST(Bexpr, AnyCheckIsEnoughEvenForUnequal) {
  EXPECT_TRUE(matches("Checks.Status == passing"));
  EXPECT_TRUE(matches("Checks.Status != passing"));
  EXPECT_FALSE(matches("Checks.Status == warning"));
  EXPECT_TRUE(matches("Checks is not empty"));
}

TEST(Bexpr, MatchesUnanchored) {
  EXPECT_TRUE(matches("Service.ID matches `-[0-9]+`"));
  EXPECT_TRUE(matches(R"(Service.ID not matches "^x")"));
}

TEST(Bexpr, SaysWhatIsWrong) {
  EXPECT_EQ(error("Bogus == 1"), R"(Selector "Bogus" is not valid)");
  EXPECT_EQ(error("service.Service == web"), R"(Selector "service" is not valid)");
  EXPECT_EQ(error("Node.Meta.foo is empty"), R"(Invalid match operator "Is Empty" for selector "Node.Meta.foo")");
  EXPECT_EQ(error("Checks.Definition.HTTP == x"), R"(Selector "Checks.Definition" is not valid)");
  EXPECT_EQ(error("Node == x"), R"(Invalid match operator "Equal" for selector "Node")");
  EXPECT_EQ(
      error("Service.Port == many"),
      R"(Failed to coerce value "many" for selector "Service.Port": strconv.ParseInt: parsing "many": invalid syntax)");
  EXPECT_EQ(error("Service.ID matches `[`"),
            R"(Failed to compile regular expression "[": error parsing regexp: missing closing ]: `[`)");
}

TEST(Bexpr, SaysWhereAndWhatWouldHaveFit) {
  EXPECT_EQ(error("Node = f1"),
            R"(1:6 (5): no match found, expected: "!=", "==", "contains", "in", "is", "matches", "not" or [ \t\r\n])");
  EXPECT_EQ(error("Node == f-1"), R"(1:10 (9): no match found, expected: ".", "[", [ \t\r\n], [a-zA-Z0-9_] or EOF)");
  EXPECT_EQ(error("Node == f1 xor a"), R"(1:12 (11): no match found, expected: "and", "or", [ \t\r\n] or EOF)");
  EXPECT_EQ(error(" "),
            R"(1:2 (1): no match found, expected: "(", "-", "0", "\"", "`", "not", [ \t\r\n], [1-9] or [a-zA-Z])");
  EXPECT_EQ(error("Service.Port in 3"), R"(1:17 (16): rule "match": Invalid selector)");
  EXPECT_EQ(error("(Node == f1"), R"(1:12 (11): rule "grouping": Unmatched parentheses)");
  EXPECT_EQ(error("Node == \"f1"), R"(1:12 (11): rule "string": Unterminated string literal)");
  EXPECT_EQ(error("Node == 01"), R"(1:10 (9): rule "number": Invalid number literal)");
  EXPECT_EQ(error("Node[0] == f1"), R"(1:6 (5): rule "index": Invalid index)");
}

TEST(Bexpr, RefusesEndlessNesting) {
  EXPECT_NE(error(std::string(5000, '(') + "Service.Port == 1" + std::string(5000, ')')), "no error");
}

}  // namespace
}  // namespace devstack::api
