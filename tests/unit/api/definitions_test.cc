#include "core/api/definitions.h"

#include <gtest/gtest.h>

namespace devstack::api {
namespace {

using namespace std::chrono_literals;

Result<ServiceDefinition> service(std::string_view body) {
  TRY(const auto value, parse_json(body));
  return read_service_definition(value);
}

std::string refusal(std::string_view body) {
  const auto read = service(body);
  return read ? "accepted" : read.error().message;
}

std::string check_refusal(std::string_view body) {
  const auto value = parse_json(body);
  const auto read = read_check_definition(*value);
  if (!read) return read.error().message;
  const auto valid = validate_check(read->definition);
  return valid ? "accepted" : valid.error().message;
}

TEST(ServiceDefinition, NamesIgnoreCaseAndNullIsAbsent) {
  const auto read =
      service(R"({"name":"web","PORT":80,"tags":["a"],"enable_tag_override":true,"Check":null,"Checks":null})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->service.name, "web");
  EXPECT_EQ(read->service.id, "web");
  EXPECT_EQ(read->service.port, 80);
  EXPECT_TRUE(read->service.enable_tag_override);
  EXPECT_TRUE(read->checks.empty());
}

TEST(ServiceDefinition, ReadsChecksWithDurationsInBothForms) {
  const auto read = service(R"({"Name":"web","Check":{"HTTP":"http://x/","Interval":"10s","Timeout":1000000},)"
                            R"("Checks":[{"TTL":"1m30s","CheckID":"own"}]})");
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->checks.size(), 2U);
  EXPECT_EQ(read->checks[0].definition.kind, registry::CheckDefinition::Kind::http);
  EXPECT_EQ(read->checks[0].definition.interval, 10s);
  EXPECT_EQ(read->checks[0].definition.timeout, 1ms);
  EXPECT_EQ(read->checks[1].id, "own");
  EXPECT_EQ(read->checks[1].definition.ttl, 90s);
}

TEST(ServiceDefinition, RefusesANumberThatNoJsonCouldSayAgain) {
  const auto* error = "json: cannot unmarshal number into Go value of type float64";
  EXPECT_EQ(refusal(R"({"Name":"x","Proxy":{"Config":{"deep":[{"a":1e309}]}}})"), error);
  EXPECT_EQ(refusal(R"({"Name":"x","Proxy":{"Config":{"deep":[-1e309]}}})"), error);
  EXPECT_EQ(refusal(R"({"Name":"x","Kind":"connect-proxy","Proxy":{"Config":{"deep":[1e308]}}})").find(error),
            std::string::npos);
}

TEST(ServiceDefinition, RefusesUnknownFieldsAndWrongTypes) {
  EXPECT_EQ(refusal(""), "EOF");
  EXPECT_EQ(refusal(R"({"Name":"x","Service":"y"})"), "Request decode failed: json: unknown field \"Service\"");
  EXPECT_EQ(refusal(R"({"Name":"x","Check":{"Script":"true"}})"),
            "Request decode failed: json: unknown field \"Script\"");
  EXPECT_EQ(refusal(R"({"Name":"x","Check":{"Interval":"soon"}})"),
            "Request decode failed: time: invalid duration \"soon\"");
  EXPECT_EQ(refusal(R"({"Name":"x","Port":"80"})"),
            "Request decode failed: json: cannot unmarshal string into Go struct field .Port of type int");
}

TEST(ServiceDefinition, TextAfterTheFirstValueIsIgnored) { EXPECT_EQ(refusal(R"({"Name":"x"} trailing)"), "accepted"); }

TEST(CheckDefinition, HasAnIdButNoCheckId) {
  EXPECT_EQ(check_refusal(R"({"ID":"a","Name":"a","TTL":"1s"})"), "accepted");
  EXPECT_EQ(check_refusal(R"({"CheckID":"a","Name":"a","TTL":"1s"})"),
            "Request decode failed: json: unknown field \"CheckID\"");
}

TEST(CheckValidation, SaysWhatConsulSays) {
  EXPECT_EQ(check_refusal(R"({"Name":"a"})"), "TTL must be > 0 for TTL checks");
  EXPECT_EQ(check_refusal(R"({"Name":"a","TCP":"x:1"})"),
            "Interval must be > 0 for Script, HTTP, H2PING, or TCP checks");
  EXPECT_EQ(check_refusal(R"({"Name":"a","TTL":"1s","Interval":"1s"})"), "Interval and TTL cannot both be specified");
  EXPECT_EQ(check_refusal(R"({"Name":"a","AliasService":"b","HTTP":"http://x","Interval":"1s"})"),
            "Interval cannot be set for Alias checks");
  EXPECT_EQ(check_refusal(R"({"Name":"a","AliasService":"b","Interval":"1s"})"), "accepted");
}

TEST(ServiceValidation, BoundsWeightsAndMeta) {
  EXPECT_EQ(validate_weights({0, 1}).error().message, "Passing must be greater than 0");
  EXPECT_EQ(validate_weights({1, -1}).error().message, "Warning must be greater or equal than 0");
  EXPECT_TRUE(validate_weights({65535, 0}));
  EXPECT_FALSE(validate_weights({65536, 0}));
  EXPECT_EQ(validate_meta({{"a b", "c"}}).error().message,
            "Couldn't load metadata pair ('a b', 'c'): Key contains invalid characters");
  EXPECT_FALSE(validate_meta({{"consul-x", "c"}}));
  EXPECT_FALSE(validate_meta({{"k", std::string(513, 'v')}}));
  EXPECT_TRUE(validate_meta({{"k-1_a", "v"}}));
}

}  // namespace
}  // namespace devstack::api
