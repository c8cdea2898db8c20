#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/async/clock.h"
#include "core/base/result.h"

namespace devstack::supervisor {

namespace asio = boost::asio;

/// Whether a name below a watched folder never counts: version control, dependencies, caches that a program writes
/// beside its source, and what editors write while they save. Pure.
bool ignored_name(std::string_view name);

/// What changed since it was asked last.
struct PathChanges {
  std::set<std::string> paths;  ///< absolute: written, made, or gone; of a folder that came, all that is in it
  bool everything = false;      ///< more than can be told: whatever is watched may have changed
  [[nodiscard]] bool empty() const { return paths.empty() && !everything; }
};

/// What is followed below the paths that are watched, which themselves always count.
struct PathWatchOptions {
  /// Changes of such a path are told; the default: all but ignored_name()s.
  std::function<bool(const std::string& path)> counts;
  /// What is in such a folder is followed; the default is the same.
  std::function<bool(const std::string& path)> looks_into;
  /// How long nothing must change before what did is told.
  std::chrono::nanoseconds quiet = std::chrono::milliseconds(100);
};

/// Tells when files change: each path is a file, or a folder with all below it (inotify). What does not exist yet is
/// seen when it appears in its folder; a link to a folder is followed where it is one of the paths themselves. Loop
/// thread; end next() before destruction.
class PathWatch {
 public:
  /// Folders followed at most, below all paths together.
  static constexpr std::size_t most_folders = 65536;
  /// Paths told of at most: of more, everything changed.
  static constexpr std::size_t most_paths = 65536;

  /// Absolute paths. Errc::io when there are too many folders, or more than the kernel has room for (it names the
  /// sysctl); of folders that appear later the log says so, once, and changes in them are not seen. Errc::not_found for
  /// a path whose folder does not exist either.
  static Result<std::unique_ptr<PathWatch>> open(asio::any_io_executor executor, std::vector<std::string> paths,
                                                 Clock& clock = steady_clock(), PathWatchOptions options = {});
  ~PathWatch();

  /// Returns once something changed and then nothing more did for a moment (an editor or a compiler writes many files).
  /// What changes without a pause (a log file among them) is told of after twenty such moments.
  asio::awaitable<PathChanges> next();

 private:
  struct Impl;
  explicit PathWatch(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace devstack::supervisor
