#include "core/registry/uuid.h"

#include <fmt/format.h>

#include <algorithm>

namespace devstack::registry {
namespace {

constexpr std::size_t kLength = 36;

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// As Go's encoding/hex says it.
std::string digits_error(std::string_view id) {
  const auto wrong = std::find_if(id.begin(), id.end(), [](char c) { return c != '-' && !is_hex(c); });
  if (wrong == id.end()) return "";
  const auto code = static_cast<unsigned>(static_cast<unsigned char>(*wrong));
  return fmt::format("encoding/hex: invalid byte: U+{:04X} '{}'", code, *wrong);
}

}  // namespace

std::string uuid_lookup_error(std::string_view id) {
  if (id.size() != kLength) return "UUID must be 36 characters";
  const auto hyphens = std::count(id.begin(), id.end(), '-');
  if (hyphens > 4) return fmt::format("UUID should have maximum of 4 \"-\"; got {}", hyphens);
  if (hyphens % 2 != 0) return "Input (without hyphens) must be even length";
  const auto wrong = digits_error(id);
  return wrong.empty() ? "" : "Invalid UUID: " + wrong;
}

std::string uuid_format_error(std::string_view id) {
  if (id.size() != kLength) return "uuid string is wrong length";
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) {
    if (id[dash] != '-') return "uuid is improperly formatted";
  }
  return digits_error(id);
}

}  // namespace devstack::registry
