#include "core/docker/build_context.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/docker/tar.h"

namespace devstack::docker {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOwnDockerfile = ".devstack.Dockerfile";

Result<std::string> read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in || (!text && fs::file_size(path) > 0)) return fail(Errc::io, "{} cannot be read", path.string());
  return std::move(text).str();
}

/// Names of a folder in one order on every machine: the engine's cache goes by the tar's content.
Result<std::vector<fs::path>> children(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> all;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    all.push_back(at->path());
  if (error) return fail(Errc::io, "{} cannot be read: {}", folder.string(), error.message());
  std::sort(all.begin(), all.end());
  return all;
}

class Packer {
 public:
  Packer(const IgnoreRules& rules, std::string dockerfile, std::size_t most)
      : rules_(rules), dockerfile_(std::move(dockerfile)), most_(most) {}

  Result<void> folder(const fs::path& where, const std::string& prefix) {
    TRY(const auto all, children(where));
    for (const auto& path : all) {
      CHECK(one(path, prefix + path.filename().string()));
      if (tar.size() > most_) {
        return fail(Errc::too_large,
                    "the build context is larger than {} MiB: name what the build does not need in "
                    ".dockerignore",
                    most_ >> 20U);
      }
    }
    return {};
  }
  std::string tar;

 private:
  Result<void> one(const fs::path& path, const std::string& name) {
    // The builder needs both, and takes them out of the context itself where they are ignored.
    const bool needed = name == dockerfile_ || name == ".dockerignore";
    const bool ignored = !needed && rules_.ignores(name);
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) return {};  // gone meanwhile
    TarEntry entry{name, {}, static_cast<std::uint32_t>(found.st_mode & 07777U)};
    entry.modified = found.st_mtime;
    if (S_ISDIR(found.st_mode)) {
      const bool look_inside = !ignored || rules_.has_exceptions() || dockerfile_.starts_with(name + "/");
      entry.path += '/';
      if (!ignored) append_tar_entry(tar, entry);
      return look_inside ? folder(path, name + "/") : Result<void>();
    }
    if (ignored) return {};
    if (S_ISLNK(found.st_mode)) {
      std::error_code error;
      entry.link_target = fs::read_symlink(path, error).string();
      if (!error) append_tar_entry(tar, entry);
      return {};
    }
    if (!S_ISREG(found.st_mode)) return {};
    if (tar.size() + static_cast<std::size_t>(found.st_size) <= most_) {
      TRY(entry.content, read_file(path));
      append_tar_entry(tar, entry);
    } else {
      tar.resize(most_ + 1);  // said by folder()
    }
    return {};
  }

  const IgnoreRules& rules_;
  std::string dockerfile_;
  std::size_t most_;
};

}  // namespace

Result<IgnoreRules> read_ignore_rules(const std::string& folder, const std::string& dockerfile, bool own_file) {
  std::error_code error;
  const fs::path root(folder);
  auto rules_file = root / ((dockerfile.empty() ? "Dockerfile" : dockerfile) + ".dockerignore");
  if (!own_file || !fs::is_regular_file(rules_file, error)) rules_file = root / ".dockerignore";
  if (!fs::is_regular_file(rules_file, error)) return IgnoreRules();
  TRY(const auto lines, read_file(rules_file));
  return IgnoreRules(lines);
}

Result<BuildContext> read_build_context(const std::string& folder, const std::string& dockerfile,
                                        const std::string& inline_text, std::size_t most) {
  std::error_code error;
  const fs::path root(folder);
  if (!fs::is_directory(root, error)) return fail(Errc::not_found, "the build context {} is not a folder", folder);
  BuildContext context;
  const fs::path file = root / (dockerfile.empty() ? "Dockerfile" : dockerfile);
  std::string text = inline_text;
  const auto relative = file.lexically_normal().lexically_relative(root.lexically_normal()).string();
  const bool inside = !relative.empty() && !relative.starts_with("..");
  if (text.empty()) {
    auto read = fs::is_regular_file(file, error) ? read_file(file) : fail(Errc::not_found, "no {}", file.string());
    if (!read) return tl::unexpected(std::move(read).error());
    if (!inside) text = std::move(*read);
  }
  context.dockerfile = text.empty() ? relative : kOwnDockerfile;

  TRY(const auto rules, read_ignore_rules(folder, dockerfile, inline_text.empty()));
  Packer packer(rules, context.dockerfile, most);
  CHECK(packer.folder(root, ""));
  if (!text.empty()) append_tar_entry(packer.tar, {kOwnDockerfile, std::move(text), 0644});
  end_tar(packer.tar);
  context.tar = std::move(packer.tar);
  return context;
}

}  // namespace devstack::docker
