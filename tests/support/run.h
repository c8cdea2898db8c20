#pragma once

#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace devstack::test {

namespace asio = boost::asio;

/// Runs a coroutine on `io` to its end and returns what it returns. A coroutine that does not end within `limit` is a
/// test failure (std::runtime_error), not a hang.
template <class T>
T run(asio::io_context& io, asio::awaitable<T> work, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
  using Stored = std::conditional_t<std::is_void_v<T>, bool, T>;
  std::optional<Stored> value;
  std::exception_ptr failure;
  bool done = false;
  io.restart();
  if constexpr (std::is_void_v<T>) {
    asio::co_spawn(io, std::move(work), [&](std::exception_ptr e) {
      failure = e;
      done = true;
    });
  } else {
    asio::co_spawn(io, std::move(work), [&](std::exception_ptr e, T result) {
      failure = e;
      if (!e) value.emplace(std::move(result));
      done = true;
    });
  }
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done && std::chrono::steady_clock::now() < end) {
    if (io.stopped()) io.restart();
    io.run_one_until(end);
  }
  if (failure) std::rethrow_exception(failure);
  if (!done) throw std::runtime_error("the coroutine did not end in time");
  if constexpr (!std::is_void_v<T>) return std::move(*value);
}

}  // namespace devstack::test
