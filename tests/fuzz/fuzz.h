#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

/// What every fuzz target has: libFuzzer's entry, a way to say that a rule was broken, and the input taken apart.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace devstack::fuzz {

/// Ends the program when a rule does not hold: that is the finding. `shown` is printed with it.
inline void require(bool holds, std::string_view rule, std::string_view shown = "") {
  if (holds) return;
  std::fprintf(stderr, "broken rule: %.*s\n%.*s\n", static_cast<int>(rule.size()), rule.data(),
               static_cast<int>(shown.size()), shown.data());
  std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return size == 0 ? std::string_view() : std::string_view(reinterpret_cast<const char*>(data), size);
}

/// Takes what stands before `mark` off the front of `rest`; all of it when there is no mark.
inline std::string_view take_until(std::string_view& rest, std::string_view mark) {
  const auto at = rest.find(mark);
  const auto part = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + mark.size());
  return part;
}

}  // namespace devstack::fuzz
