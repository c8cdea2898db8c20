#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <set>
#include <string>

#include "core/base/async/signal.h"
#include "core/base/result.h"

namespace devstack {

/// Wakes coroutines when something in a folder changes (inotify(7)): files written, made, renamed, removed; not what is
/// in folders below. One executor, whose loop does not end before close() or the destructor.
class DirectoryWatch {
 public:
  explicit DirectoryWatch(const asio::any_io_executor& executor);
  ~DirectoryWatch();
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;

  /// Errc::io when the folder is not there or the system has no watch left; more than once is once.
  Result<void> add(const std::string& folder);
  Signal& changed();
  /// Watches no more.
  void close();
  /// The paths that changed since this was asked last. When there were too many to tell, the folders themselves.
  std::set<std::string> take();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace devstack
