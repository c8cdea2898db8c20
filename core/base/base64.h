#pragma once

#include <string>
#include <string_view>

/// RFC 4648 §4 and, for header values that Docker reads, §5. Pure; any thread.
namespace devstack {

enum class Base64 { standard, url_safe };
/// With padding.
std::string encode_base64(std::string_view bytes, Base64 alphabet = Base64::standard);
/// Either alphabet, padded or not; ends at the first character that is of neither.
std::string decode_base64_prefix(std::string_view text);

}  // namespace devstack
