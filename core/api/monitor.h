#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/async/signal.h"
#include "core/base/log_listener.h"
#include "core/http/message.h"

/// GET /v1/agent/monitor: the log of this process as it is written. Private to the room.
/// https://developer.hashicorp.com/consul/api-docs/agent#stream-logs
namespace devstack::api {

namespace asio = boost::asio;

enum class LogForm { text, json };

/// "trace", "DEBUG" … as `loglevel` takes them; nothing for another word.
std::optional<log::Level> monitor_level(std::string_view text);

/// A line as Consul's own log has it, with its line break: `2021-06-01T12:00:00.000Z [INFO]  dns: listening`, or an
/// object with @level, @message, @module and @timestamp. Times are UTC.
std::string monitor_line(const log::Line& line, LogForm form);

/// Lines on their way to one client. A client that reads too slowly loses lines and is told how many: memory stays
/// bounded and nobody who logs ever waits.
class LogQueue : public std::enable_shared_from_this<LogQueue> {
 public:
  static constexpr std::size_t kMost = 512;  ///< lines

  LogQueue(asio::any_io_executor executor, LogForm form)
      : executor_(std::move(executor)), form_(form), arrived_(executor_) {}
  /// Any thread.
  void offer(const log::Line& line);
  /// Returns the lines so far as one text, once there are any; empty when cancelled. On the executor.
  asio::awaitable<std::string> take();

 private:
  void arrive(std::string text);

  asio::any_io_executor executor_;
  LogForm form_;
  std::atomic<std::size_t> waiting_{0}, dropped_{0};
  Signal arrived_;
  std::deque<std::string> lines_;
};

}  // namespace devstack::api
