#include "cmd/devstack/follow.h"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/terminal.h"
#include "core/base/async/clock.h"

namespace devstack {
namespace {

using namespace std::chrono_literals;

/// Asked of the server, which adds up to a sixteenth.
constexpr std::chrono::seconds kWait = 55s;
/// When even a held-back answer should have come.
constexpr std::chrono::milliseconds kDeadline = 75s;
/// The pause after an answer that brought nothing and was not held back: the server does not block.
constexpr std::chrono::milliseconds kPause = 1s;

bool may_come_back(const Error& error) {
  return error.code == Errc::unavailable || error.code == Errc::io || error.code == Errc::timeout ||
         error.code == Errc::parse;
}

http::Request question(std::string target, std::uint64_t index) {
  http::Request request;
  request.target = std::move(target);
  if (index == 0) return request;
  request.target = with_parameter(std::move(request.target), "index", std::to_string(index));
  request.target = with_parameter(std::move(request.target), "wait", fmt::format("{}s", kWait.count()));
  return request;
}

asio::awaitable<Result<void>> follow(ConsulClient client, std::string target, OnAnswer on_answer) {
  std::uint64_t index = 0;
  int failures = 0;
  bool ever = false;
  for (;;) {
    const Instant asked_at = steady_clock().now();
    auto request = question(target, index);
    const auto answer = co_await client.ask(std::move(request), kDeadline);
    if (!answer) {
      if (!ever || !may_come_back(answer.error())) co_return tl::unexpected<Error>(answer.error());
      if (failures++ == 0) terminal::complain(fmt::format("lost {}; asking again until it is back", client.address()));
      // What comes back may be another server, or the same without its memory.
      index = 0;
      co_await steady_clock().sleep_for(retry_after(failures));
      continue;
    }
    if (failures > 0) terminal::complain(client.address() + " is back");
    failures = 0;
    ever = true;
    CO_CHECK(on_answer(*answer));
    const auto next = next_index(index, answer->index);
    if (next == index && steady_clock().now() - asked_at < kPause) co_await steady_clock().sleep_for(kPause);
    index = next;
  }
}

asio::awaitable<Result<void>> follow_until_signal(ConsulOptions options, std::string target, OnAnswer on_answer) {
  using namespace asio::experimental::awaitable_operators;
  asio::signal_set signals(co_await asio::this_coro::executor, SIGINT, SIGTERM);
  CO_TRY(auto client, co_await ConsulClient::find(std::move(options)));
  auto ended = co_await (follow(std::move(client), std::move(target), std::move(on_answer)) ||
                         signals.async_wait(asio::use_awaitable));
  if (auto* outcome = std::get_if<0>(&ended)) co_return std::move(*outcome);
  co_return Result<void>();
}

}  // namespace

std::uint64_t next_index(std::uint64_t asked, std::uint64_t answered) {
  if (answered < asked) return 0;
  return std::max<std::uint64_t>(answered, 1);
}

std::chrono::milliseconds retry_after(int failures) {
  const int doublings = std::clamp(failures - 1, 0, 6);
  return std::min<std::chrono::milliseconds>(100ms * (1 << doublings), 5s);
}

int run_following(ConsulOptions options, std::string target, OnAnswer on_answer) {
  const auto ended = run_blocking(follow_until_signal(std::move(options), std::move(target), std::move(on_answer)));
  return ended ? 0 : report(ended.error());
}

}  // namespace devstack
