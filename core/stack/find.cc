#include "core/stack/find.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace devstack::stack {
namespace {

namespace fs = std::filesystem;

// compose-go looks in this order; ours go first.
constexpr std::array<std::string_view, 6> kNames{"stack.yaml",  "stack.yml",          "compose.yaml",
                                                 "compose.yml", "docker-compose.yml", "docker-compose.yaml"};
constexpr std::size_t kReadBytes = (1U << 20U) + 1;

}  // namespace

Result<std::string> find_stack_file(std::string_view cwd) {
  std::error_code ignored;
  for (fs::path folder = fs::path(cwd).lexically_normal();; folder = folder.parent_path()) {
    for (const auto name : kNames) {
      if (fs::is_regular_file(folder / name, ignored)) return (folder / name).string();
    }
    if (folder == folder.parent_path()) break;
  }
  return fail(Errc::stack_file, "no stack.yaml or compose.yaml in {} or above it: name a file with -f", cwd);
}

std::string find_override_file(std::string_view path) {
  const fs::path file(path);
  if (!file.stem().string().ends_with("compose")) return "";
  std::error_code ignored;
  for (const auto* extension : {".yml", ".yaml"}) {
    const auto candidate = file.parent_path() / (file.stem().string() + ".override" + extension);
    if (fs::is_regular_file(candidate, ignored)) return candidate.string();
  }
  return "";
}

Result<std::string> read_whole_file(const std::string& path) {
  std::error_code problem;
  if (fs::is_directory(path, problem)) return fail(Errc::stack_file, "cannot read {}: it is a folder", path);
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Errc::stack_file, "cannot read {}: {}", path, std::strerror(errno));
  std::string text(kReadBytes, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

}  // namespace devstack::stack
