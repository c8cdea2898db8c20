#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace devstack::docker {

struct TarEntry {
  std::string path;     ///< relative, '/' between parts; a trailing '/' makes it a directory
  std::string content;  ///< ignored for a directory
  std::uint32_t mode = 0644;
};

/// A tar archive (POSIX ustar; GNU long names over 100 bytes) of regular files and directories, owned by root, dated
/// 1970: the same entries give the same bytes. What `import_image` takes. Pure.
std::string tar_of(const std::vector<TarEntry>& entries);

}  // namespace devstack::docker
