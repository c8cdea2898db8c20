#include <charconv>
#include <compare>

#include "core/docker/json.h"
#include "core/docker/wire.h"

namespace devstack::docker::wire {
namespace {

struct ApiVersion {
  int major = 0, minor = 0;
  auto operator<=>(const ApiVersion&) const = default;
};

// What this client was written against; an engine's own range decides between them.
constexpr ApiVersion kNewest{1, 51};
constexpr ApiVersion kOldest{1, 24};

std::optional<ApiVersion> parse_api_version(std::string_view text) {
  ApiVersion version;
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto read = [](std::string_view part, int& into) {
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), into);
    return error == std::errc() && end == part.data() + part.size() && into >= 0;
  };
  if (!read(text.substr(0, dot), version.major) || !read(text.substr(dot + 1), version.minor)) return std::nullopt;
  return version;
}

}  // namespace

bool api_at_least(std::string_view version, int major, int minor) {
  const auto spoken = parse_api_version(version);
  return spoken && *spoken >= ApiVersion{major, minor};
}

Result<EngineVersion> parse_version(std::string_view text) {
  TRY(const auto root, parse_object(text));
  return EngineVersion{text_at(root, "Version"), text_at(root, "ApiVersion"), text_at(root, "MinAPIVersion")};
}

Result<std::string> choose_version(const EngineVersion& engine) {
  const auto newest = parse_api_version(engine.api_version);
  if (!newest) return fail(Errc::failed, "the Docker engine does not say which API version it speaks");
  const auto chosen = std::min(*newest, kNewest);
  const auto oldest = parse_api_version(engine.min_api_version).value_or(ApiVersion{});
  if (chosen < kOldest) {
    return fail(Errc::failed, "Docker engine {} speaks API {} at most; {}.{} or newer is needed", engine.version,
                engine.api_version, kOldest.major, kOldest.minor);
  }
  if (chosen < oldest) {
    return fail(Errc::failed, "Docker engine {} refuses API versions below {}; this program knows {}.{} at most",
                engine.version, engine.min_api_version, kNewest.major, kNewest.minor);
  }
  return fmt::format("{}.{}", chosen.major, chosen.minor);
}

}  // namespace devstack::docker::wire
