#include "core/stack/pull_policy.h"

#include <charconv>
#include <cstdint>

namespace devstack::stack {
namespace {

using namespace std::chrono_literals;

std::optional<std::chrono::seconds> seconds_of(char unit) {
  switch (unit) {
    case 'w':
      return 7 * 24h;
    case 'd':
      return 24h;
    case 'h':
      return 1h;
    case 'm':
      return 1min;
    case 's':
      return 1s;
    default:
      return std::nullopt;
  }
}

/// No image is a century old, and a sum of larger spans could overflow.
constexpr std::chrono::seconds kMost = 100 * 365 * 24h;

}  // namespace

std::optional<std::chrono::seconds> pull_age(std::string_view policy) {
  constexpr std::string_view every = "every_";
  if (policy == "daily") return 24h;
  if (policy == "weekly") return 7 * 24h;
  if (!policy.starts_with(every) || policy.size() == every.size()) return std::nullopt;
  policy.remove_prefix(every.size());
  std::chrono::seconds age{0};
  while (!policy.empty()) {
    std::uint32_t count = 0;
    const auto [end, error] = std::from_chars(policy.data(), policy.data() + policy.size(), count);
    policy.remove_prefix(static_cast<std::size_t>(end - policy.data()));
    const auto unit = policy.empty() ? std::nullopt : seconds_of(policy.front());
    if (error != std::errc() || !unit) return std::nullopt;
    policy.remove_prefix(1);
    age += count * *unit;
    if (age > kMost) return std::nullopt;
  }
  return age;
}

}  // namespace devstack::stack
