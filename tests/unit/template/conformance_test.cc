// Templates that a real consul-template rendered against a real Consul, replayed.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "tests/support/temp_dir.h"
#include "tests/unit/template/world.h"

namespace devstack::templates {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

void register_service(test::World& world, const json::object& body) {
  std::vector<std::string> tags;
  if (const auto* list = body.if_contains("Tags")) {
    for (const auto& tag : list->as_array()) tags.emplace_back(tag.as_string());
  }
  registry::StringMap meta;
  if (const auto* map = body.if_contains("Meta")) {
    for (const auto& field : map->as_object()) meta[field.key()] = field.value().as_string();
  }
  const auto* check = body.if_contains("Check");
  world.add_service(text_of(body, "ID"), text_of(body, "Name"), text_of(body, "Address"),
                    static_cast<int>(body.at("Port").as_int64()), tags, meta,
                    check == nullptr ? "" : text_of(check->as_object(), "Status"));
}

void set_up(test::World& world, const json::object& document) {
  for (const auto& field : document.at("environment").as_object()) {
    world.environment[field.key()] = field.value().as_string();
  }
  constexpr std::string_view put_key = "PUT /v1/kv/";
  for (const auto& step : document.at("setup").as_array()) {
    const std::string_view request = step.as_array()[0].as_string();
    const auto& body = step.as_array()[1];
    if (request.starts_with(put_key)) {
      world.set(std::string(request.substr(put_key.size())), std::string(body.as_string()));
    } else {
      register_service(world, body.as_object());
    }
  }
}

TEST(ConsulTemplateConformance, EveryRecordedCaseRendersTheSame) {
  const auto text = devstack::test::read_file(DEVSTACK_SOURCE_DIR "/tests/conformance/data/consul-template.json");
  const auto document = json::parse(text).as_object();
  test::World world;
  set_up(world, document);
  std::size_t count = 0;
  for (const auto& each : document.at("cases").as_array()) {
    const auto& recorded = each.as_object();
    SCOPED_TRACE(text_of(recorded, "name"));
    const auto got = world.render(text_of(recorded, "template"));
    if (recorded.at("ok").as_bool()) {
      EXPECT_EQ(got, text_of(recorded, "output"));
    } else {
      EXPECT_TRUE(got.starts_with("ERROR ")) << got;
    }
    ++count;
  }
  EXPECT_EQ(count, 45U);
}

}  // namespace
}  // namespace devstack::templates
