#pragma once

#include <string>
#include <string_view>

namespace devstack {

/// Adds a part to a text of parts with `separator` between them; an empty part adds nothing. Pure; any thread.
inline void append_part(std::string& text, std::string_view part, std::string_view separator) {
  if (part.empty()) return;
  if (!text.empty()) text += separator;
  text += part;
}

}  // namespace devstack
