#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/base/async/clock.h"
#include "core/base/async/signal.h"
#include "core/docker/client.h"

namespace devstack::docker {

/// Keeps one event subscription to the engine open for the whole process and tells its listeners. An engine that is not
/// there, or dies, is said once in the log and retried with growing pauses (0.5 s … 15 s; a socket file that appears
/// ends the pause). Loop thread only.
///
/// The order makes lost events impossible: `on_up` runs after the engine accepted the subscription and before the first
/// event, so a listener that lists containers in it and then applies events has seen everything. Every reconnect calls
/// `on_down` and a new `on_up`: reconcile there.
class EngineWatcher {
 public:
  struct Listener {
    std::function<void()> on_up;
    std::function<void(const Event&)> on_event;
    std::function<void()> on_down;
  };
  struct State {
    bool up = false;
    bool probed = false;  ///< the first attempt has ended, one way or the other
    EngineInfo info;      ///< while up
    std::string detail;   ///< while down: why, in words for the user
  };
  using Subscription = std::uint64_t;

  EngineWatcher(asio::any_io_executor loop, Client client, Clock& clock = steady_clock());
  ~EngineWatcher();

  void start();
  /// Ends the subscription, for good. Listeners are dropped without a call: they lose no engine, we stop looking.
  asio::awaitable<void> stop();
  /// Returns after the first attempt to reach the engine has ended; true when it is up. Bounded by `limit`.
  asio::awaitable<bool> wait_probed(std::chrono::milliseconds limit);

  [[nodiscard]] const State& state() const;
  Signal& changed();
  /// When the engine is up already, `on_up` is called soon after, from the loop.
  Subscription subscribe(Listener listener);
  void unsubscribe(Subscription subscription);
  [[nodiscard]] Client& client();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace devstack::docker
