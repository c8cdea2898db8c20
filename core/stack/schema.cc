#include "core/stack/schema.h"

#include <boost/json/parse.hpp>

#include "core/stack/json_schema.h"
#include "core/stack/json_text.h"

namespace devstack::stack {
namespace {

namespace json = boost::json;

struct Shape {
  std::string_view name, schema;
};

/// What is no map of a table. Any scalar may be a string, because it may be a `${VARIABLE}`.
constexpr Shape kShapes[] = {
    {"any", "true"},
    {"text", R"({"type": ["string", "number", "boolean"]})"},
    {"texts", R"({"type": ["array", "null"], "items": {"$ref": "#/$defs/text"}})"},
    {"text_or_texts", R"({"anyOf": [{"$ref": "#/$defs/text"}, {"$ref": "#/$defs/texts"}]})"},
    {"text_map",
     R"({"type": ["object", "null"], "additionalProperties": {"type": ["string", "number", "boolean", "null"]}})"},
    {"pairs", R"({"anyOf": [{"$ref": "#/$defs/text_map"}, {"$ref": "#/$defs/texts"}]})"},
    {"pairs_or_text", R"({"anyOf": [{"$ref": "#/$defs/pairs"}, {"$ref": "#/$defs/text"}]})"},
    {"switch", R"({"type": ["boolean", "string", "integer"]})"},
    {"integer", R"({"type": ["integer", "string"]})"},
    {"limit", R"({"type": ["integer", "string"], "description": "-1: unlimited"})"},
    {"size", R"({"type": ["integer", "string"], "description": "bytes, or like 512m"})"},
    {"mode", R"({"type": ["integer", "string"], "description": "permission bits in octal, like 0440"})"},
    {"cpus", R"({"type": ["number", "string"], "description": "cores, like 0.5"})"},
    {"cpu_time", R"({"type": ["integer", "string"], "description": "microseconds, or like 50ms"})"},
    {"duration", R"({"type": ["string", "integer"], "description": "like 1m30s"})"},
    {"command", R"({"type": ["string", "array", "null"], "items": {"$ref": "#/$defs/text"}})"},
    {"raw", R"({"enum": ["raw"]})"},
    {"port_range", R"({"type": ["integer", "string"]})"},
    {"port_mode", R"({"enum": ["ingress", "host"]})"},
    {"protocol", R"({"enum": ["tcp", "udp", "sctp"]})"},
    {"ports",
     R"({"type": ["array", "null"], "items": {"anyOf": [{"type": ["string", "integer"]}, {"$ref": "#/$defs/port"}]}})"},
    {"process_port", R"({"type": ["integer", "string"], "description": "auto, or a number"})"},
    {"env_files",
     R"({"anyOf": [{"type": "string"}, {"type": ["array", "null"], "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/env_file"}]}}]})"},
    {"ulimits",
     R"({"type": ["object", "null"], "additionalProperties": {"anyOf": [{"$ref": "#/$defs/limit"}, {"$ref": "#/$defs/ulimit"}]}})"},
    {"extra_hosts",
     R"({"anyOf": [{"$ref": "#/$defs/texts"}, {"type": "object", "additionalProperties": {"$ref": "#/$defs/text_or_texts"}}]})"},
    {"volumes", R"({"type": ["array", "null"], "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/mount"}]}})"},
    {"mount_type", R"({"enum": ["bind", "volume", "tmpfs", "image"]})"},
    {"propagation", R"({"enum": ["rprivate", "private", "rshared", "shared", "rslave", "slave"]})"},
    {"selinux", R"({"enum": ["z", "Z"]})"},
    {"recursion", R"({"enum": ["enabled", "disabled", "writable", "readonly"]})"},
    {"attachments",
     R"({"anyOf": [{"$ref": "#/$defs/texts"}, {"type": "object", "additionalProperties": {"$ref": "#/$defs/attachment"}}]})"},
    {"devices", R"({"type": ["array", "null"], "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/device"}]}})"},
    {"restart", R"({"type": ["string", "boolean"], "description": "no, always, on-failure[:n] or unless-stopped"})"},
    {"restart_condition", R"({"enum": ["none", "on-failure", "any", "no", "always", "unless-stopped"]})"},
    {"condition", R"({"enum": ["service_started", "service_healthy", "service_completed_successfully"]})"},
    {"depends_on",
     R"({"anyOf": [{"$ref": "#/$defs/texts"}, {"type": "object", "additionalProperties": {"$ref": "#/$defs/dependency"}}]})"},
    {"health_test", R"({"type": ["string", "array"], "items": {"$ref": "#/$defs/text"}})"},
    {"build", R"({"anyOf": [{"type": "string"}, {"$ref": "#/$defs/build_map"}]})"},
    {"build_secrets",
     R"({"type": ["array", "null"], "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/build_secret"}]}})"},
    {"hooks", R"({"type": ["array", "null"], "items": {"$ref": "#/$defs/hook"}})"},
    {"steps", R"({"type": ["array", "null"], "items": {"$ref": "#/$defs/step"}})"},
    {"watch_action", R"({"enum": ["rebuild", "restart", "sync", "sync+restart", "sync+exec"]})"},
    {"watch_rules", R"({"type": ["array", "null"], "items": {"$ref": "#/$defs/watch_rule"}})"},
    {"grants", R"({"type": ["array", "null"], "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/grant"}]}})"},
    {"external",
     R"({"anyOf": [{"$ref": "#/$defs/switch"}, {"type": "object", "properties": {"name": {"$ref": "#/$defs/text"}}, "additionalProperties": false}]})"},
    {"ipam_pools", R"({"type": ["array", "null"], "items": {"$ref": "#/$defs/ipam_pool"}})"},
    {"templates", R"({"type": ["array", "null"], "items": {"$ref": "#/$defs/template"}})"},
    {"servers",
     R"({"type": ["object", "null"], "additionalProperties": {"anyOf": [{"$ref": "#/$defs/text_or_texts"}, {"type": "null"}]}})"},
    {"includes", R"({"type": ["array", "null"], "items": {"type": ["string", "object"]}})"},
};

json::object keyed(std::string_view shape) {
  return {{"type", json::array{"object", "null"}},
          {"patternProperties", json::object{{"^x-", true}}},
          {"additionalProperties", Shapes::reference(shape)}};
}

/// The top level: ours and Compose's.
json::object top_level(const Shapes& shapes) {
  json::object properties = shapes.defs.at("components").at("properties").as_object();
  properties["name"] = Shapes::reference("text");
  properties["version"] = Shapes::reference("text");
  properties["include"] = Shapes::reference("includes");
  properties["services"] = keyed("service");
  properties["networks"] = keyed("network");
  properties["volumes"] = keyed("volume");
  properties["configs"] = keyed("file");
  properties["secrets"] = keyed("file");
  properties["x-devstack"] = Shapes::reference("components");
  auto root = Shapes::map_of(std::move(properties));
  root["type"] = "object";
  return root;
}

}  // namespace

std::string json_schema() {
  Shapes shapes;
  for (const auto& shape : kShapes) shapes.defs[shape.name] = json::parse(shape.schema);
  for (const auto add : {add_quantity_shapes, add_pair_shapes, add_mount_shapes, add_network_shapes,
                         add_resource_shapes, add_build_shapes, add_definition_shapes, add_part_shapes, add_port_shapes,
                         add_process_shapes, add_service_shapes, add_component_shapes}) {
    add(shapes);
  }
  // `extends` is gone before a service is read.
  shapes.defs.at("service").at("properties").as_object()["extends"] = Shapes::reference("any");
  json::object schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                      {"title", "stack.yaml of devstack, and Compose's files"}};
  for (auto& field : top_level(shapes)) schema[field.key()] = std::move(field.value());
  schema["$defs"] = std::move(shapes.defs);
  return pretty(schema) + "\n";
}

}  // namespace devstack::stack
