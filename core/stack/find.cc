#include "core/stack/find.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

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

std::string find_override_file(const std::string& path) {
  const fs::path file(path);
  const auto folder = file.parent_path();
  const auto stem = file.stem().string();
  std::vector<std::string> names;
  for (const auto* extension : {".yml", ".yaml"}) names.push_back(stem + ".override" + extension);
  if (stem.ends_with("compose")) {
    for (const auto* other : {"compose", "docker-compose"}) {
      for (const auto* extension : {".yml", ".yaml"}) names.push_back(std::string(other) + ".override" + extension);
    }
  }
  std::error_code ignored;
  for (const auto& name : names) {
    if (fs::is_regular_file(folder / name, ignored)) return (folder / name).string();
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

std::string shown_path(const std::string& path, const std::string& cwd) {
  const auto relative = fs::path(path).lexically_relative(cwd).string();
  return relative.empty() || relative.starts_with("..") ? path : relative;
}

std::string working_folder(const std::string& cwd) {
  std::error_code ignored;
  const auto folder = cwd.empty() ? fs::current_path(ignored) : fs::absolute(cwd, ignored);
  auto text = folder.lexically_normal().string();
  if (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

}  // namespace devstack::stack
