#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>

namespace devstack {

namespace asio = boost::asio;

/// Wakes coroutines when something changed: a version counter and a timer at "never". A change between reading
/// `version()` and waiting is never missed, because waiting compares versions first. Any number of waiters.
/// Lives on one executor (normally the loop); owner and waiters run there. The owner outlives the waiters.
class Signal {
 public:
  explicit Signal(asio::any_io_executor executor);

  [[nodiscard]] std::uint64_t version() const { return version_; }
  /// Counts one change and wakes every waiter.
  void bump();
  /// Returns once version() > seen (true) or at the deadline (false).
  asio::awaitable<bool> wait_past(std::uint64_t seen, std::chrono::steady_clock::time_point deadline);

 private:
  std::uint64_t version_ = 0;
  // Shared with the handler of a deadline that may still be queued when the Signal goes.
  std::shared_ptr<asio::steady_timer> timer_;
};

}  // namespace devstack
