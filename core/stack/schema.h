#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>

#include "core/stack/read.h"

/// The JSON Schema of a stack file, from the tables that read it: each table is a definition, each row a property whose
/// shape is the name of another definition. Private to the room. https://json-schema.org/draft/2020-12/schema
namespace devstack::stack {

class Shapes {
 public:
  /// A map with the keys of a table, and `x-…`.
  template <class T, std::size_t count>
  void map(std::string_view name, const Field<T> (&fields)[count]) {
    boost::json::object properties;
    for (const auto& field : fields) properties[field.name] = reference(field.shape);
    defs[name] = map_of(std::move(properties));
  }

  static boost::json::object reference(std::string_view shape) { return {{"$ref", "#/$defs/" + std::string(shape)}}; }
  static boost::json::object map_of(boost::json::object properties) {
    return {{"type", boost::json::array{"object", "null"}},
            {"properties", std::move(properties)},
            {"patternProperties", boost::json::object{{"^x-", true}}},
            {"additionalProperties", false}};
  }

  boost::json::object defs;
};

// --- one for each file that has tables ---
void add_quantity_shapes(Shapes& into);
void add_pair_shapes(Shapes& into);
void add_mount_shapes(Shapes& into);
void add_network_shapes(Shapes& into);
void add_resource_shapes(Shapes& into);
void add_build_shapes(Shapes& into);
void add_definition_shapes(Shapes& into);
void add_part_shapes(Shapes& into);
void add_port_shapes(Shapes& into);
void add_process_shapes(Shapes& into);
void add_service_shapes(Shapes& into);
void add_component_shapes(Shapes& into);

}  // namespace devstack::stack
