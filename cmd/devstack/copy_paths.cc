#include "cmd/devstack/copy_paths.h"

#include <filesystem>

namespace devstack {

namespace fs = std::filesystem;

std::optional<ContainerPath> container_path(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos || colon == 0 || text[0] == '.' || text[0] == '/') return std::nullopt;
  const auto service = text.substr(0, colon);
  return ContainerPath{service, text.substr(colon + 1)};
}

Result<std::string> unpacked_path(const std::string& entry, bool into_folder) {
  const auto path = fs::path(entry).lexically_normal();
  if (path.is_absolute() || (!path.empty() && *path.begin() == "..")) {
    return fail(Errc::parse, "the archive names \"{}\", outside of what was asked for", entry);
  }
  auto text = path.string();
  while (text.ends_with('/')) text.pop_back();
  if (text == ".") text.clear();
  if (into_folder) return text;
  const auto slash = text.find('/');
  return slash == std::string::npos ? std::string() : text.substr(slash + 1);
}

PlaceInContainer place_in_container(const std::string& from, const std::string& to, bool to_is_folder) {
  const auto source = fs::path(from).lexically_normal();
  const auto name = source.filename().empty() ? source.parent_path().filename() : source.filename();
  if (to_is_folder) {
    // "DIR/." means what is in it.
    const bool content = from.ends_with("/.") || from == ".";
    return {to, content ? "." : name.string()};
  }
  const fs::path target(to);
  const auto folder = target.parent_path().string();
  return {folder.empty() ? "/" : folder, target.filename().string()};
}

}  // namespace devstack
