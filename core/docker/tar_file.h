#pragma once

#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/docker/tar.h"

namespace devstack::docker {

enum class Links { kept, followed };

/// A file, folder or link of this machine as an entry of a tar called `name`, with its owner, mode and time; nothing
/// for sockets and devices, which are not copied. What is in a folder is not in its entry. Blocks. Errc::not_found when
/// there is no such file, io when it cannot be read.
Result<std::optional<TarEntry>> read_tar_entry(const std::string& path, std::string name, Links links = Links::kept);

}  // namespace devstack::docker
