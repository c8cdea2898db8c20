#pragma once

#include <string>

#include "core/stack/yaml.h"

namespace devstack::stack {

/// A tree as YAML that reads back as the same tree; its comments and anchors are gone. Private to the room; pure.
std::string print_tree(const Node& tree);

}  // namespace devstack::stack
