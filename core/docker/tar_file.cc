#include "core/docker/tar_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace devstack::docker {
namespace {

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Errc::io, "cannot read {}: {}", path, std::strerror(errno));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

Result<std::optional<TarEntry>> read_tar_entry(const std::string& path, std::string name, Links links) {
  struct stat info {};
  if ((links == Links::followed ? ::stat(path.c_str(), &info) : ::lstat(path.c_str(), &info)) != 0) {
    return fail(Errc::not_found, "{}: {}", path, std::strerror(errno));
  }
  TarEntry entry;
  entry.path = std::move(name);
  entry.mode = info.st_mode & 07777U;
  entry.uid = info.st_uid;
  entry.gid = info.st_gid;
  entry.modified = info.st_mtime;
  if (S_ISLNK(info.st_mode)) {
    std::error_code error;
    entry.link_target = std::filesystem::read_symlink(path, error).string();
    if (error) return fail(Errc::io, "cannot read {}: {}", path, error.message());
  } else if (S_ISDIR(info.st_mode)) {
    entry.path += '/';
  } else if (S_ISREG(info.st_mode)) {
    TRY(entry.content, read_file(path));
  } else {
    return std::optional<TarEntry>();
  }
  return std::optional<TarEntry>(std::move(entry));
}

}  // namespace devstack::docker
