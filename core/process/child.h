#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"

/// Host processes on Boost.Process v2: each in its own session and process group, output appended to a log file (never
/// to our pipes: children outlive us), found again after our own death by pid and start time.
namespace devstack::process {

namespace asio = boost::asio;

struct Spec {
  std::vector<std::string> argv;           ///< argv[0] is looked up in PATH of `env`
  std::map<std::string, std::string> env;  ///< the whole environment
  std::string working_dir;                 ///< "" = ours
  std::string user;                        ///< "" = ours
  std::string log_file;                    ///< stdout and stderr are appended here; "" = /dev/null
};

/// What must be kept on disk to find a process again: a pid alone may be another process by now.
struct Identity {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  ///< field 22 of /proc/PID/stat, clock ticks since boot
  std::string boot_id;           ///< /proc/sys/kernel/random/boot_id
  friend bool operator==(const Identity&, const Identity&) = default;
};

/// The identity of a living process; nothing when there is none.
std::optional<Identity> identify(pid_t pid);
/// Whether exactly this process still runs (a zombie does not).
bool alive(const Identity& identity);
/// Whether a signal (SIGSTOP) holds it.
bool stopped(const Identity& identity);

struct ExitStatus {
  int code = 0;       ///< exit code, or 128 + signal
  int signal = 0;     ///< 0 when it exited by itself
  bool known = true;  ///< false for a re-adopted process: it is not our child, its code cannot be read
};

/// A running process. Loop thread. Destroying it leaves the process running.
class Child {
 public:
  /// Errors: not_found (`./worker: no such file …`), permission, io; each names the command.
  static Result<std::unique_ptr<Child>> start(asio::any_io_executor executor, Spec spec);
  /// Takes a process of an earlier supervisor back (waits through a pidfd). Errc::not_found when it is gone.
  static Result<std::unique_ptr<Child>> adopt(asio::any_io_executor executor, const Identity& identity);
  ~Child();

  [[nodiscard]] const Identity& identity() const;
  /// Returns when the process has ended; several may wait. A cancelled wait returns too, with `known` false.
  asio::awaitable<ExitStatus> wait();
  /// Sends a signal to the whole process group.
  void signal(int number);
  /// `stop_signal` to the group, up to `grace` for it to end, then SIGKILL to the group; returns when it has ended.
  asio::awaitable<ExitStatus> stop(int stop_signal, std::chrono::milliseconds grace);

 private:
  struct Impl;
  explicit Child(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

/// Runs a command to its end and collects its output (stdout and stderr together, the last `output_bytes`). Over the
/// deadline its group is killed and Errc::timeout returned.
struct Finished {
  int exit_code = 0;
  std::string output;
};
asio::awaitable<Result<Finished>> run(Spec spec, std::chrono::milliseconds timeout,
                                      std::size_t output_bytes = 64U << 10U);

/// As run(), for commands that run again and again: nobody of the command's group outlives it, and a timeout is a
/// result, with what the command wrote until then. Errors: only that it could not be started or watched.
struct Captured {
  bool timed_out = false;
  int exit_code = 0;          ///< when it ended in time
  std::string output;         ///< the last `output_bytes`
  std::uint64_t written = 0;  ///< how much there was
};
asio::awaitable<Result<Captured>> capture(Spec spec, std::chrono::milliseconds timeout, std::size_t output_bytes);

/// "SIGHUP", "HUP" or "1" -> 1.
Result<int> parse_signal(std::string_view text);
/// Where a program stands: absolute as is, else searched in `path` ($PATH form). Nothing when not found.
std::optional<std::string> find_program(std::string_view name, std::string_view path);
/// A shell command line split as /bin/sh would split words (quotes and backslashes; no expansion).
Result<std::vector<std::string>> split_words(std::string_view text);

}  // namespace devstack::process
