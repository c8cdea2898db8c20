#pragma once

#include <boost/asio/awaitable.hpp>
#include <utility>

#include "core/base/async/signal.h"

namespace devstack::supervisor {

/// Lets so many coroutines at a time do something; the others wait for their turn. One executor.
///
///     const auto turn = co_await turns.take();   // ends with its scope, cancellation included
class Turns {
 public:
  Turns(const asio::any_io_executor& executor, int most) : free_(most), ended_(executor) {}

  class Turn {
   public:
    explicit Turn(Turns& turns) : turns_(&turns) {}
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (turns_ == nullptr) return;
      ++turns_->free_;
      turns_->ended_.bump();
    }

   private:
    Turns* turns_;
  };

  asio::awaitable<Turn> take() {
    while (free_ == 0) {
      const auto seen = ended_.version();
      co_await ended_.wait_past(seen, std::chrono::steady_clock::time_point::max());
    }
    --free_;
    co_return Turn(*this);
  }

 private:
  int free_;
  Signal ended_;
};

}  // namespace devstack::supervisor
