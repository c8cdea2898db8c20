#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace devstack::ui {

struct Asset {
  std::string content;
  std::string_view content_type;
};

/// A file of core/ui/web/ by its name ("style.css"): the embedded one, or the one in `dir` when that is not empty (for
/// work on the page: edit and reload). Nothing for unknown names and for anything but a plain file name.
std::optional<Asset> find_asset(std::string_view name, const std::string& dir);

}  // namespace devstack::ui
