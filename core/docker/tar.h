#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace devstack::docker {

struct TarEntry {
  std::string path;     ///< relative, '/' between parts; a trailing '/' makes it a directory
  std::string content;  ///< ignored for a directory
  std::uint32_t mode = 0644;
  std::string link_target{};  ///< not empty: a symbolic link
  std::uint32_t uid = 0, gid = 0;
  std::int64_t modified = 0;  ///< Unix seconds
};

/// A tar archive (POSIX ustar; GNU long names over 100 bytes) of regular files, directories and symbolic links, owned
/// by root and dated 1970 unless told otherwise: the same entries give the same bytes. Pure.
std::string tar_of(const std::vector<TarEntry>& entries);
/// The same piece by piece: what a tar begins with, and what it ends with.
void append_tar_entry(std::string& tar, const TarEntry& entry);
void end_tar(std::string& tar);

/// The entries of an archive that an engine made (ustar, GNU and pax long names). Hard links are given as copies of
/// what they link to; devices and sockets are left out. Errc::parse when it is not a tar, or cut short.
Result<std::vector<TarEntry>> read_tar(std::string_view tar);

}  // namespace devstack::docker
