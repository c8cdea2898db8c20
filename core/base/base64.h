#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

/// RFC 4648 §4 and §5. Pure; any thread.
namespace devstack {

enum class Base64 { standard, url_safe };
/// With padding.
std::string encode_base64(std::string_view bytes, Base64 alphabet = Base64::standard);
void append_base64(std::string& out, std::string_view bytes, Base64 alphabet = Base64::standard);

/// Padded text, as Go's encoding/base64 takes it: line ends in between do not count. Errc::parse in Go's words.
Result<std::string> decode_base64(std::string_view text, Base64 alphabet = Base64::standard);
/// Either alphabet, padded or not; ends at the first character that is of neither.
std::string decode_base64_prefix(std::string_view text);

}  // namespace devstack
