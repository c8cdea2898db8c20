#pragma once

#include <string>

namespace devstack::stack {

/// What a stack file may hold, as a JSON Schema (draft 2020-12) for editors: the text of stack.schema.json. Pure.
std::string json_schema();

}  // namespace devstack::stack
