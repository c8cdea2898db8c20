#include "core/base/async/signal.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace devstack {

Signal::Signal(asio::any_io_executor executor) : timer_(std::make_shared<asio::steady_timer>(std::move(executor))) {
  timer_->expires_at(std::chrono::steady_clock::time_point::max());
}

void Signal::bump() {
  ++version_;
  timer_->cancel();
}

asio::awaitable<bool> Signal::wait_past(std::uint64_t seen, std::chrono::steady_clock::time_point deadline) {
  const auto executor = co_await asio::this_coro::executor;
  while (version_ <= seen) {
    if (std::chrono::steady_clock::now() >= deadline) co_return false;
    boost::system::error_code ignored;
    if (deadline == std::chrono::steady_clock::time_point::max()) {
      co_await timer_->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    } else {
      asio::steady_timer limit(executor, deadline);
      limit.async_wait([timer = timer_](boost::system::error_code error) {
        if (!error) timer->cancel();  // wakes the others too; they compare versions and wait again
      });
      co_await timer_->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) co_return false;
  }
  co_return true;
}

}  // namespace devstack
