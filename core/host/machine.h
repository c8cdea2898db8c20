#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/host/file_state.h"

namespace devstack::host {

/// The file system of a machine: this one, or an image's below a folder, where absolute symlinks lead nowhere else
/// (openat2(2), RESOLVE_IN_ROOT). Paths are absolute within it. Synchronous; one thread.
class Machine {
 public:
  /// Told each step of a change ("written", "renamed" …) after it was made: tests die there.
  using OnStep = std::function<void(std::string_view)>;

  /// Errc::not_found when `root` is no folder.
  static Result<Machine> open(std::string root, OnStep on_step = {});
  Machine(Machine&& other) noexcept;
  Machine& operator=(Machine&& other) noexcept;
  ~Machine();

  [[nodiscard]] const std::string& root() const { return root_; }
  /// Whether it is the machine we run on: it has processes that can be told.
  [[nodiscard]] bool is_this_one() const { return root_ == "/"; }

  /// What stands at `path` itself (a symlink is not followed). Errc::too_large above 1 MiB.
  [[nodiscard]] Result<FileState> look(const std::string& path) const;
  /// The content of the file that `path` leads to. Errc::not_found.
  [[nodiscard]] Result<std::string> read(const std::string& path) const;
  /// Names in a folder, sorted; none when there is no such folder.
  [[nodiscard]] std::vector<std::string> list(const std::string& path) const;

  /// Makes `path` be `wanted`, in one step: a file comes under a temporary name beside it, is synced and renamed, and
  /// keeps the extended attributes (SELinux label, ACL) of the file it replaces. A full disk leaves what was there.
  /// Errc::conflict for a folder that is not empty.
  Result<void> put(const std::string& path, const FileState& wanted);
  /// Takes away what a put() that was killed may have left beside `path`.
  void sweep(const std::string& path);

 private:
  Machine(std::string root, int root_fd, OnStep on_step);
  struct Place;  ///< an open parent folder and a name in it
  [[nodiscard]] Result<Place> place(const std::string& path) const;
  Result<void> put_file(const Place& at, const std::string& path, const FileState& wanted);
  Result<void> put_symlink(const Place& at, const std::string& path, const FileState& wanted);
  Result<void> put_directory(const Place& at, const std::string& path, const FileState& wanted);
  Result<void> remove(const Place& at, const std::string& path);
  Result<void> finish(const Place& at, const std::string& path);
  void step(std::string_view name) const;

  std::string root_;
  int root_fd_ = -1;
  OnStep on_step_;
};

}  // namespace devstack::host
