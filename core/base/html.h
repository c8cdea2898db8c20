#pragma once

#include <string>
#include <string_view>

namespace devstack {

/// For element text and quoted attribute values; the entities are those of Go's html/template.
/// https://pkg.go.dev/text/template#HTMLEscapeString Pure; any thread.
std::string escape_html(std::string_view text);

}  // namespace devstack
