#pragma once

#include <string>

#include "core/stack/assemble.h"
#include "core/stack/sources.h"

/// All files of a stack as one tree, and the name of what they describe. Private to the room.
namespace devstack::stack {

struct Project {
  std::string name;         ///< -p, COMPOSE_PROJECT_NAME, the last file's `name:`, or the folder's name
  Environment environment;  ///< with COMPOSE_PROJECT_NAME
  Node root;
};

/// What is wrong goes to the assembly's report.
Project read_project(const Sources& sources, Assembly& all, const LoadOptions& options);

}  // namespace devstack::stack
