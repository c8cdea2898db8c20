#include "core/control/log_stream.h"

#include <deque>
#include <exception>
#include <map>
#include <memory>

#include "core/base/async/clock.h"
#include "core/base/async/task_group.h"
#include "core/base/suggest.h"
#include "core/control/log_file.h"

namespace devstack::control {
namespace {

using supervisor::UnitState;
using supervisor::UnitStatus;
using supervisor::UnitType;

constexpr auto kPoll = std::chrono::milliseconds(200);
constexpr std::size_t kFullBytes = 512U << 10U;  // a file reader waits above this
constexpr std::size_t kMostBytes = 32U << 20U;  // a container's lines are dropped above this: it cannot be made to wait

bool has_ended(UnitState state) {
  return state == UnitState::completed || state == UnitState::failed || state == UnitState::stopped;
}

/// Lines on their way from the readers to the one writer.
struct LineQueue {
  explicit LineQueue(const asio::any_io_executor& executor) : changed(executor) {}

  void push(const std::string& name, std::string_view line) {
    if (text.size() > kMostBytes) {
      ++dropped;
      return;
    }
    if (dropped > 0) text += fmt::format("devstack | {} lines left out: the reader is too slow\n", dropped);
    dropped = 0;
    text += fmt::format("{} | {}\n", name, line);
    changed.bump();
  }

  std::string text;
  std::size_t dropped = 0;
  std::size_t readers = 0;
  Signal changed;
};
using QueuePtr = std::shared_ptr<LineQueue>;

asio::awaitable<void> read_file(QueuePtr queue, LogSource source, int tail, Follow follow) {
  LogFile file(source.file, source.filter);
  file.seek_tail(tail);
  for (;;) {
    const auto lines = file.read_lines();
    for (const auto& line : lines) queue->push(source.name, line);
    while (queue->text.size() > kFullBytes) {
      co_await queue->changed.wait_past(queue->changed.version(), Instant::max());
    }
    if (!lines.empty()) continue;
    if (follow == Follow::no) break;
    co_await steady_clock().sleep_for(kPoll);
  }
  const auto partial = file.take_partial();
  if (!partial.empty()) queue->push(source.name, partial);
}

asio::awaitable<void> read_container(QueuePtr queue, LogSource source, int tail, Follow follow,
                                     const ContainerLogs& containers) {
  auto splitter = std::make_shared<LineSplitter>();
  std::function<void(std::string_view)> on_bytes = [queue, splitter, name = source.name](std::string_view bytes) {
    for (const auto& line : splitter->add(bytes)) queue->push(name, line);
  };
  const auto ended = co_await containers(source.container_id, follow == Follow::yes, tail, std::move(on_bytes));
  const auto rest = splitter->take_rest();
  if (!rest.empty()) queue->push(source.name, rest);
  if (!ended) queue->push(source.name, fmt::format("(log not available: {})", ended.error().message));
}

class LogStreamer {
 public:
  LogStreamer(StackControl& stack, const ContainerLogs& containers, std::string supervisor_log, LogRequest request,
              const asio::any_io_executor& executor)
      : stack_(stack),
        containers_(containers),
        supervisor_log_(std::move(supervisor_log)),
        request_(std::move(request)),
        queue_(std::make_shared<LineQueue>(executor)),
        tasks_(executor) {}

  asio::awaitable<void> run(http::BodyWriter& out) {
    attach_new();
    if (request_.follow == Follow::yes) tasks_.spawn("control: log units", watch_units());
    std::exception_ptr broken;
    try {
      co_await pump(out);
    } catch (...) {
      broken = std::current_exception();
    }
    // A cancelled coroutine cannot wait for its readers unless it first forgets that it was cancelled.
    if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) {
      co_await asio::this_coro::reset_cancellation_state();
    }
    co_await tasks_.stop();
    if (broken) std::rethrow_exception(broken);
  }

 private:
  asio::awaitable<void> pump(http::BodyWriter& out) {
    for (;;) {
      const auto seen = queue_->changed.version();
      if (!queue_->text.empty()) {
        auto text = std::exchange(queue_->text, {});
        queue_->changed.bump();
        const bool there = co_await out.write(std::move(text));
        if (!there) co_return;
        continue;
      }
      if (request_.follow == Follow::no && queue_->readers == 0) co_return;
      co_await queue_->changed.wait_past(seen, Instant::max());
    }
  }

  asio::awaitable<void> watch_units() {
    for (;;) {
      const auto seen = stack_.changed().version();
      attach_new();
      co_await stack_.changed().wait_past(seen, Instant::max());
    }
  }

  void attach_new() {
    const auto sources = log_sources(stack_, supervisor_log_, request_.service);
    if (!sources) return;  // the unit is gone; it may come back
    for (const auto& source : *sources) {
      const auto key = source.name + '\n' + source.file + '\n' + source.container_id;
      const auto known = live_.find(key);
      if (known == live_.end()) {
        attach(source, key, request_.tail);
      } else if (!known->second && !source.ended) {
        attach(source, key, 0);  // the same container, started again
      }
    }
  }

  void attach(const LogSource& source, const std::string& key, int tail) {
    live_[key] = true;
    ++queue_->readers;
    tasks_.spawn("control: log " + source.name, read(source, key, tail));
  }

  asio::awaitable<void> read(LogSource source, std::string key, int tail) {
    if (source.container_id.empty()) {
      co_await read_file(queue_, std::move(source), tail, request_.follow);
    } else {
      co_await read_container(queue_, std::move(source), tail, request_.follow, containers_);
    }
    live_[key] = false;
    --queue_->readers;
    queue_->changed.bump();
  }

  StackControl& stack_;
  const ContainerLogs& containers_;
  std::string supervisor_log_;
  LogRequest request_;
  QueuePtr queue_;
  std::map<std::string, bool> live_;
  TaskGroup tasks_;
};

Error unknown_name(const supervisor::Status& status, const std::string& name) {
  std::vector<std::string_view> known;
  for (const auto& unit : status.services) known.push_back(unit.service.empty() ? unit.name : unit.service);
  for (const auto& unit : status.components) known.push_back(unit.name);
  known.emplace_back("devstack");
  known.erase(std::unique(known.begin(), known.end()), known.end());
  const auto near = nearest(name, known);
  return Error{Errc::not_found, near ? fmt::format("no service \"{}\": did you mean \"{}\"?", name, *near)
                                     : fmt::format("no service \"{}\": there are {}", name, fmt::join(known, ", "))};
}

}  // namespace

Result<std::vector<LogSource>> log_sources(const StackControl& stack, const std::string& supervisor_log,
                                           const std::string& service) {
  const auto status = stack.status();
  std::vector<LogSource> out;
  bool known = service.empty();
  for (const auto& unit : status.services) {
    if (!service.empty() && unit.name != service && unit.service != service) continue;
    known = true;
    LogSource source{unit.name, {}, {}, {}, has_ended(unit.state)};
    if (unit.type == UnitType::container) source.container_id = unit.id;
    if (unit.type == UnitType::process) source.file = stack.log_file(unit.name);
    if (!source.container_id.empty() || !source.file.empty()) out.push_back(std::move(source));
  }
  if (known) return out;
  if (service == "devstack") return std::vector{LogSource{service, supervisor_log, {}, {}, false}};
  for (const auto& unit : status.components) {
    if (unit.name == service) return std::vector{LogSource{service, supervisor_log, "[" + service + "]", {}, false}};
  }
  return tl::unexpected<Error>(unknown_name(status, service));
}

asio::awaitable<void> stream_logs(StackControl& stack, const ContainerLogs& containers, std::string supervisor_log,
                                  LogRequest request, http::BodyWriter& out) {
  const auto executor = co_await asio::this_coro::executor;
  LogStreamer streamer(stack, containers, std::move(supervisor_log), std::move(request), executor);
  co_await streamer.run(out);
}

}  // namespace devstack::control
