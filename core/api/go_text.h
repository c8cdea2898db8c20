#pragma once

#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

/// Texts as Go's standard library writes them, which clients of the HTTP API see in errors. Pure. Private to the room.
namespace devstack::api {

/// strconv.Quote, what %q prints: `say "hi"` becomes `"say \"hi\""`.
std::string go_quote(std::string_view text);

/// strconv.Unquote of a text in double or back quotes; `out` is empty when it is malformed.
bool go_unquote(std::string_view whole, std::string& out);

/// What regexp.Compile says of a pattern that does not compile: "error parsing regexp: missing closing ]: `[`".
std::string regexp_error(const re2::RE2& regex);

}  // namespace devstack::api
