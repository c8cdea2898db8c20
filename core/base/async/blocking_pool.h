#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace devstack {

namespace asio = boost::asio;

/// A few threads for calls that block: SQLite commits, fsync, getaddrinfo. `co_await pool.run([&] { ... })` runs the
/// function there and resumes the caller on its own executor with the result; the function must not throw.
class BlockingPool {
 public:
  explicit BlockingPool(std::size_t threads = 1) : pool_(threads) {}
  ~BlockingPool() { pool_.join(); }

  template <class Function>
  auto run(Function function) -> asio::awaitable<decltype(function())> {
    using Value = decltype(function());
    auto work = [](Function f) -> asio::awaitable<Value> { co_return f(); };
    co_return co_await asio::co_spawn(pool_.get_executor(), work(std::move(function)), asio::use_awaitable);
  }

 private:
  asio::thread_pool pool_;
};

}  // namespace devstack
