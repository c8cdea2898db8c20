// The two endless answers: events and logs.
#include <chrono>

#include "core/base/log.h"
#include "core/docker/client.h"
#include "core/docker/errors.h"
#include "core/docker/frames.h"
#include "core/docker/wire.h"

namespace devstack::docker {
namespace {

std::string now_as_since() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  return fmt::format("{}.{:09d}", nanos / 1'000'000'000, nanos % 1'000'000'000);
}

}  // namespace

// An engine sends the head of its answer a moment BEFORE it subscribes us (moby, getEvents). `since` makes it replay,
// from its ring of the last 256 events, what happened in that moment: without it an event could fall in between.
asio::awaitable<Result<void>> Client::events(std::function<void()> on_open, std::function<void(Event)> on_event) {
  CO_TRY([[maybe_unused]] const auto checked, co_await versioned(""));  // negotiation takes time: before `since`
  http::Request message;
  message.target = "/events?since=" + now_as_since();
  JsonSplitter objects([&on_event](std::string_view text) {
    auto event = wire::parse_event(text);
    if (!event) {
      log::warn("docker", "an event was not understood: {}", event.error().message);
    } else {
      on_event(std::move(*event));
    }
  });
  auto opened = [&on_open](const http::Response&) {
    if (on_open) on_open();
  };
  ByteSink feed = [&objects](std::string_view bytes) { return objects.feed(bytes); };
  auto ended =
      co_await read_stream(std::move(message), std::move(opened), std::move(feed), std::chrono::milliseconds(0));
  CO_CHECK(std::move(ended));
  co_return fail(Errc::docker_unreachable, "the Docker engine at {} ended its event stream", target_.to_string());
}

asio::awaitable<Result<void>> Client::logs(std::string id, bool follow, int tail,
                                           std::function<void(LogStream, std::string_view)> on_bytes) {
  CO_TRY(const auto container, co_await inspect_container(id));
  http::Request message;
  message.target = fmt::format("/containers/{}/logs?stdout=1&stderr=1&follow={}&tail={}", container.id, follow ? 1 : 0,
                               tail < 0 ? std::string("all") : std::to_string(tail));
  LogDemultiplexer frames(on_bytes);
  ByteSink feed = [&frames, &on_bytes, raw = container.tty](std::string_view bytes) -> Result<void> {
    if (!raw) return frames.feed(bytes);
    on_bytes(LogStream::out, bytes);
    return {};
  };
  co_return co_await read_stream(std::move(message), {}, std::move(feed), std::chrono::milliseconds(0));
}

asio::awaitable<Result<void>> Client::timed_logs(std::string id, bool follow, std::int64_t since,
                                                 std::function<Result<void>(LogStream, std::string_view)> on_bytes) {
  CO_TRY(const auto container, co_await inspect_container(id));
  http::Request message;
  message.target = fmt::format("/containers/{}/logs?stdout=1&stderr=1&timestamps=1&follow={}&since={}.{:09}",
                               container.id, follow ? 1 : 0, since / 1'000'000'000, since % 1'000'000'000);
  Result<void> taken;
  LogDemultiplexer frames([&](LogStream stream, std::string_view bytes) {
    if (taken) taken = on_bytes(stream, bytes);
  });
  ByteSink feed = [&, raw = container.tty](std::string_view bytes) -> Result<void> {
    if (raw) return on_bytes(LogStream::out, bytes);
    CHECK(frames.feed(bytes));
    return taken;
  };
  co_return co_await read_stream(std::move(message), {}, std::move(feed), std::chrono::milliseconds(0));
}

}  // namespace devstack::docker
