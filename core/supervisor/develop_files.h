#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/supervisor/develop_rules.h"

/// What develop.watch's rules are about, on the disk. These calls block.
namespace devstack::supervisor {

/// develop.watch of a service, with the .dockerignore of its build. Errc::io when that cannot be read.
Result<DevelopRules> read_develop_rules(const stack::ServiceSpec& service);

/// Every file that concerns the rule, as if each had changed. Empty folders are left out, and folders that cannot be
/// read.
std::set<std::string> concerned_files(const DevelopRule& rule);

/// What `initial_sync` copies: all that concerns the rule, but for what tells how the service is made and for what a
/// container of it has by a mount.
std::vector<SyncedPath> initial_sync(const DevelopRule& rule, const stack::ServiceSpec& service);

/// What a container needs to be as the paths are now.
struct SyncWork {
  std::string tar;    ///< to be unpacked in `/`; "" where there is nothing to copy
  stack::Texts gone;  ///< absolute, in the container; nothing of it is below another
};
/// Owners are those of the files here. Errc::too_large past `most` bytes, io for a file that cannot be read.
Result<SyncWork> sync_work(const std::vector<SyncedPath>& paths, std::size_t most = std::size_t{1} << 30U);

}  // namespace devstack::supervisor
