#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fstream>
#include <sstream>

#include "core/stack/json_schema.h"
#include "core/stack/read.h"

namespace devstack::stack {
namespace {

namespace json = boost::json;

const std::string kChecked = DEVSTACK_SOURCE_DIR "/core/stack/stack.schema.json";

TEST(Schema, InTheTreeIsThatOfTheTables) {
  std::ifstream in(kChecked);
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), json_schema()) << "write it anew: devstack config --schema > core/stack/stack.schema.json";
}

/// Every "#/$defs/…" below a value.
void references(const json::value& value, std::vector<std::string>& into) {
  if (const auto* object = value.if_object()) {
    for (const auto& field : *object) {
      if (field.key() == "$ref") into.emplace_back(field.value().as_string());
      references(field.value(), into);
    }
  } else if (const auto* array = value.if_array()) {
    for (const auto& item : *array) references(item, into);
  }
}

TEST(Schema, RefersOnlyToWhatItDefines) {
  const auto schema = json::parse(json_schema());
  std::vector<std::string> names;
  references(schema, names);
  EXPECT_FALSE(names.empty());
  for (const auto& name : names) {
    ASSERT_TRUE(name.starts_with("#/$defs/")) << name;
    EXPECT_TRUE(schema.at("$defs").as_object().contains(name.substr(8))) << name;
  }
}

TEST(Schema, KnowsEveryKeyOfAService) {
  const auto schema = json::parse(json_schema());
  const auto& keys = schema.at("$defs").at("service").at("properties").as_object();
  for (const auto key : service_keys()) EXPECT_TRUE(keys.contains(key)) << key;
}

}  // namespace
}  // namespace devstack::stack
