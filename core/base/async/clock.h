#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>

namespace devstack {

namespace asio = boost::asio;
using Instant = std::chrono::steady_clock::time_point;

/// Monotonic time as an object, so that tests can turn the hands (tests/support/fake_clock.h). Everything that waits
/// for time to pass takes a Clock&; deadlines are Instants, so a step of the wall clock expires nothing.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant now() const = 0;
  /// Returns at `when`, or earlier when the calling coroutine is cancelled. Called on the waiter's own executor.
  virtual asio::awaitable<void> sleep_until(Instant when) = 0;
  asio::awaitable<void> sleep_for(std::chrono::nanoseconds span) { return sleep_until(now() + span); }
};

/// The real clock; lives as long as the program. Any thread.
Clock& steady_clock();

}  // namespace devstack
