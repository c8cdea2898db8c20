#pragma once

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <memory>

#include "core/base/async/clock.h"

namespace devstack::test {

/// A clock that a test turns by hand: `advance` wakes the sleepers whose time has come. One executor.
class FakeClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return now_; }
  asio::awaitable<void> sleep_until(Instant when) override {
    if (when <= now_) co_return;
    auto timer = std::make_shared<asio::steady_timer>(co_await asio::this_coro::executor, Instant::max());
    const auto at = sleepers_.insert(sleepers_.end(), Sleeper{when, timer});
    boost::system::error_code ignored;
    co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    sleepers_.erase(at);
  }
  void advance(std::chrono::nanoseconds span) {
    now_ += std::chrono::duration_cast<Instant::duration>(span);
    for (auto& sleeper : sleepers_) {
      if (sleeper.when <= now_) sleeper.timer->cancel();
    }
  }
  [[nodiscard]] std::size_t sleepers() const { return sleepers_.size(); }

 private:
  struct Sleeper {
    Instant when;
    std::shared_ptr<asio::steady_timer> timer;
  };
  Instant now_{std::chrono::hours(1)};
  std::list<Sleeper> sleepers_;
};

}  // namespace devstack::test
