#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
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

/// Tells when files change: each path is a file, or a folder with all below it (inotify). What does not exist yet is
/// seen when it appears in its folder. Loop thread; end next() before destruction.
class PathWatch {
 public:
  /// Folders followed at most, below all paths together; of more, changes in the rest are not seen, and the log says
  /// so.
  static constexpr std::size_t most_folders = 8192;

  /// Absolute paths. Errc::io when the kernel has no room for another watch; Errc::not_found for a path whose folder
  /// does not exist either.
  static Result<std::unique_ptr<PathWatch>> open(asio::any_io_executor executor, std::vector<std::string> paths,
                                                 Clock& clock = steady_clock());
  ~PathWatch();

  /// Returns once something changed and then nothing more did for a moment (an editor or a compiler writes many files),
  /// with the first path of it.
  asio::awaitable<std::string> next();

 private:
  struct Impl;
  explicit PathWatch(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace devstack::supervisor
