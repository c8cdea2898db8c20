#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/logs/record.h"

namespace devstack::logs {

namespace asio = boost::asio;

/// Where a unit's lines come from now.
struct LogSource {
  std::string unit;
  std::string container;   ///< its id; "" for a process
  std::string spool;       ///< the file that a process writes to; "" for a container
  bool up = false;         ///< it may write more: an unfinished line is waited for
  std::uint64_t turn = 0;  ///< another number after each start and end
};

/// A container's log from the engine, with times, from `since` on (see ContainerLines); the engine's own bytes. Returns
/// when the log ends, when `on_bytes` fails, or with what broke it; Errc::not_found when there is no such container.
using ContainerLog = std::function<asio::awaitable<Result<void>>(
    std::string id, bool follow, std::int64_t since, std::function<Result<void>(Stream, std::string_view)> on_bytes)>;

/// Keeps what the units of one project print, in DIR/UNIT.jsonl (kept_log.h): containers by following the engine's
/// stream, processes by reading the files that they write to. Both go on where an earlier keeper stopped, so that
/// nothing is lost or doubled when the supervisor is killed; what was read of a process's file is given back to the
/// disk. Loop thread; stop() before destruction.
class LogKeeper {
 public:
  LogKeeper(asio::any_io_executor loop, std::string dir, ContainerLog containers);
  ~LogKeeper();
  LogKeeper(const LogKeeper&) = delete;
  LogKeeper& operator=(const LogKeeper&) = delete;

  /// All the sources there are now.
  void follow(std::vector<LogSource> sources);
  /// Returns when all that a container which has ended wrote is kept, so that it may be removed; bounded.
  asio::awaitable<void> drain(std::string unit, std::string container);
  /// Reads what the processes of this project have written to their end, and ends.
  asio::awaitable<void> stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace devstack::logs
