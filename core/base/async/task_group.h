#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "core/base/async/signal.h"

namespace devstack {

/// The only ways to start a coroutine that nobody co_awaits. A bare co_spawn with asio's detached token is banned: an
/// exception that escapes a coroutine is a defect of ours, is logged with the coroutine's name, and stops devstack.
///
/// `spawn` is for work that ends by itself and owns what it uses; a TaskGroup for work tied to an owner's life.
void spawn(asio::any_io_executor executor, std::string name, asio::awaitable<void> work);

/// Coroutines that belong to one owner and end before it does. All on one executor; owner's thread only.
///
///     TaskGroup tasks_{executor};
///     tasks_.spawn("dns: udp", serve_udp());
///     co_await tasks_.stop();   // cancels all, returns when the last has ended
///
/// The destructor of a group that still has running tasks is a defect and stops the program: call stop() first.
class TaskGroup {
 public:
  explicit TaskGroup(asio::any_io_executor executor);
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  /// After stop() began, spawning does nothing (the work is dropped unstarted).
  void spawn(std::string name, asio::awaitable<void> work);
  [[nodiscard]] std::size_t running() const;
  /// Asks every task to end: its current wait completes with operation_aborted.
  void cancel();
  /// cancel(), then returns when no task runs any more. May be called more than once.
  asio::awaitable<void> stop();
  /// Returns when no task runs any more, cancelling nothing.
  asio::awaitable<void> join();

 private:
  struct Shared;
  asio::any_io_executor executor_;
  std::shared_ptr<Shared> shared_;
};

/// Runs all of them at once and returns when the last has ended. Cancelled, it cancels them and still waits for their
/// end: they may refer to what their caller owns.
asio::awaitable<void> run_all(asio::any_io_executor executor, std::string name,
                              std::vector<asio::awaitable<void>> work);

}  // namespace devstack
