#include "core/registry/row_json.h"

#include <gtest/gtest.h>

namespace devstack::registry {
namespace {

TEST(RowJson, AServiceComesBackAsItWas) {
  Service service;
  service.node = "n1";
  service.id = "w1";
  service.name = "web";
  service.tags = {"a", ""};
  service.tagged_addresses = {{"lan", {"10.0.0.1", 80}}};
  service.meta = {{"k", "v"}};
  service.port = 80;
  service.weights = {0, 7};
  service.enable_tag_override = service.agent_owned = true;
  service.source = "registrator";
  service.proxy_json = R"({"Mode":""})";
  service.create_index = ~0ULL;
  const auto back = from_body<Service>(to_body(service));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->tags, service.tags);
  EXPECT_EQ(back->tagged_addresses, service.tagged_addresses);
  EXPECT_EQ(back->weights, service.weights);
  EXPECT_EQ(back->create_index, ~0ULL);
  EXPECT_TRUE(back->agent_owned);
  EXPECT_EQ(back->proxy_json, service.proxy_json);
  EXPECT_EQ(to_body(*back), to_body(service));
}

TEST(RowJson, ACheckKeepsItsDefinitionAndOutputBytes) {
  Check check;
  check.node = "n1";
  check.id = "c";
  check.output = "bad \xff\xfe bytes\n\"quoted\"";
  check.definition.kind = CheckDefinition::Kind::http;
  check.definition.header = {{"X", {"1", "2"}}};
  check.definition.interval = std::chrono::milliseconds(1500);
  check.definition.output_max_bytes = 0;
  const auto back = from_body<Check>(to_body(check));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->output, check.output);
  EXPECT_EQ(back->definition, check.definition);
}

TEST(RowJson, ZeroLockDelayIsNotTheDefault) {
  Session session;
  session.lock_delay = std::chrono::nanoseconds(0);
  session.behavior = Session::Behavior::remove;
  const auto back = from_body<Session>(to_body(session));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->lock_delay.count(), 0);
  EXPECT_EQ(back->behavior, Session::Behavior::remove);
}

TEST(RowJson, AChoiceThatThereIsNotIsAnError) {
  const auto odd = from_body<Check>(R"({"definition":{"kind":99999999999}})");
  EXPECT_FALSE(odd);
  const auto negative = from_body<Session>(R"({"behavior":-1})");
  EXPECT_FALSE(negative);
}

TEST(RowJson, WhatIsNoBodyIsAnError) {
  for (const auto* text : {"", "[]", "{", R"({"port":"x"})", R"({"tags":5})"}) {
    const auto back = from_body<Service>(text);
    EXPECT_FALSE(back) << text;
  }
}

}  // namespace
}  // namespace devstack::registry
