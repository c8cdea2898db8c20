#pragma once

#include <string>

#include "core/base/result.h"

namespace devstack {

/// The bytes that an argument stands for, as Consul's command line has it: "@file" is the file's content, "-" standard
/// input to its end, anything else itself. At most 64 MiB (Errc::too_large); Errc::io when it cannot be read.
Result<std::string> argument_data(const std::string& argument);
/// A file's content; same bound and errors.
Result<std::string> file_data(const std::string& path);

}  // namespace devstack
