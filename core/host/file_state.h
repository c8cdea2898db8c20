#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace devstack::host {

/// What stands at a path, with all that is needed to put it back. Value.
struct FileState {
  enum class Kind {
    absent,
    file,
    symlink,
    directory,
    other,  ///< a device, a socket: never touched
  };
  Kind kind = Kind::absent;
  std::string bytes;  ///< a file's content, a symlink's target
  mode_t mode = 0;    ///< permission bits; of files and directories
  uid_t uid = 0;
  gid_t gid = 0;
  std::int64_t mtime_ns = 0;  ///< of files; 0: now. Put back, but two states that differ in it alone are the same

  [[nodiscard]] bool exists() const { return kind != Kind::absent; }
};

/// Whether nobody could tell them apart by content, kind, mode and owner.
bool same(const FileState& left, const FileState& right);

FileState regular_file(std::string bytes, mode_t mode, uid_t uid, gid_t gid);

}  // namespace devstack::host
