#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace devstack {

/// The candidate nearest to `word` by edit distance (adjacent swaps count once), if one is near enough to be what was
/// meant; for "did you mean" hints. Pure; any thread.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace devstack
