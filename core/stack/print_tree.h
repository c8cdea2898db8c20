#pragma once

#include <string>

#include "core/stack/yaml.h"

namespace devstack::stack {

/// A tree as YAML that reads back as the same tree; its comments and anchors are gone. Private to the room; pure.
std::string print_tree(const Node& tree);
/// The same as JSON: what is neither quoted nor a number or a boolean of JSON is a string.
std::string print_tree_json(const Node& tree);

}  // namespace devstack::stack
