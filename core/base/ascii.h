#pragma once

#include <algorithm>
#include <string>
#include <string_view>

/// Letters without regard to case where only ASCII has any: names of DNS (RFC 4343), HTTP (RFC 9110 §5.1) and Consul,
/// words of YAML. No locale. Pure; any thread.
namespace devstack {

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

inline std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = to_lower(c);
  return out;
}

inline bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return to_lower(x) == to_lower(y); });
}

}  // namespace devstack
