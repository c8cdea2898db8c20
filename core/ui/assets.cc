#include "core/ui/assets.h"

#include <array>
#include <fstream>
#include <iterator>
#include <utility>

#include "assets/web.h"

namespace devstack::ui {
namespace {

std::string_view content_type(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTypes{{
      {".html", "text/html; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".svg", "image/svg+xml"},
  }};
  for (const auto& [ending, type] : kTypes) {
    if (name.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

bool is_plain_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-.";
  return !name.empty() && name.front() != '.' && name.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace

std::optional<Asset> find_asset(std::string_view name, const std::string& dir) {
  if (!is_plain_name(name)) return std::nullopt;
  if (dir.empty()) {
    const auto found = assets::web(name);
    if (!found) return std::nullopt;
    return Asset{std::string(*found), content_type(name)};
  }
  std::ifstream file(dir + "/" + std::string(name), std::ios::binary);
  if (!file) return std::nullopt;
  return Asset{std::string(std::istreambuf_iterator<char>(file), {}), content_type(name)};
}

}  // namespace devstack::ui
