#pragma once

#include <string>

#include "core/base/result.h"
#include "core/docker/ignore.h"

namespace devstack::docker {

/// What is sent to the engine of a build's folder.
struct BuildContext {
  std::string tar;
  std::string dockerfile;  ///< its name in the tar
};

/// A folder as a tar, without what its .dockerignore names (or `<dockerfile>.dockerignore`, which goes first). The
/// Dockerfile is in it wherever it stands; `inline_text` takes its place when not empty. Modes and links are kept,
/// owners are not. Blocks: for a thread of its own. Errc::not_found without the folder or the Dockerfile, too_large
/// past `most` bytes.
Result<BuildContext> read_build_context(const std::string& folder, const std::string& dockerfile,
                                        const std::string& inline_text, std::size_t most = std::size_t{1} << 30U);

/// The lines that say what of a folder is not sent: those of `<dockerfile>.dockerignore`, else of `.dockerignore`; none
/// where there is no such file. `own_file` false: there is no Dockerfile that the first could stand beside. Errc::io.
Result<IgnoreRules> read_ignore_rules(const std::string& folder, const std::string& dockerfile, bool own_file = true);

}  // namespace devstack::docker
