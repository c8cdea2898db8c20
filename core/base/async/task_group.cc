#include "core/base/async/task_group.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstdlib>
#include <exception>

#include "core/base/log.h"

namespace devstack {
namespace {

/// A cancelled wait inside use_awaitable arrives as a system_error: that is a task ending as asked, not a defect.
void report(const std::string& name, const std::exception_ptr& failure) {
  if (!failure) return;
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) return;
    log::error("core", "task \"{}\" ended by an exception, stopping: {}", name, error.what());
  } catch (const std::exception& error) {
    log::error("core", "task \"{}\" ended by an exception, stopping: {}", name, error.what());
  }
  std::abort();
}

}  // namespace

void spawn(asio::any_io_executor executor, std::string name, asio::awaitable<void> work) {
  asio::co_spawn(executor, std::move(work),
                 [name = std::move(name)](const std::exception_ptr& failure) { report(name, failure); });
}

struct TaskGroup::Shared {
  explicit Shared(const asio::any_io_executor& executor) : ended(executor) {}
  std::list<asio::cancellation_signal> signals;
  bool stopping = false;
  Signal ended;
};

TaskGroup::TaskGroup(asio::any_io_executor executor)
    : executor_(std::move(executor)), shared_(std::make_shared<Shared>(executor_)) {}

TaskGroup::~TaskGroup() {
  if (shared_->signals.empty()) return;
  log::error("core", "a task group was destroyed with {} running tasks", shared_->signals.size());
  std::abort();
}

void TaskGroup::spawn(std::string name, asio::awaitable<void> work) {
  if (shared_->stopping) return;
  auto& signals = shared_->signals;
  const auto at = signals.emplace(signals.end());
  asio::co_spawn(executor_, std::move(work),
                 asio::bind_cancellation_slot(
                     at->slot(), [shared = shared_, at, name = std::move(name)](const std::exception_ptr& failure) {
                       report(name, failure);
                       shared->signals.erase(at);
                       shared->ended.bump();
                     }));
}

std::size_t TaskGroup::running() const { return shared_->signals.size(); }

void TaskGroup::cancel() {
  shared_->stopping = true;
  // Emitting may end a task at once and erase its entry: step before emitting.
  for (auto at = shared_->signals.begin(); at != shared_->signals.end();) {
    auto current = at++;
    current->emit(asio::cancellation_type::all);
  }
}

asio::awaitable<void> TaskGroup::stop() {
  cancel();
  co_await join();
}

asio::awaitable<void> TaskGroup::join() {
  const auto shared = shared_;
  while (!shared->signals.empty()) {
    const auto seen = shared->ended.version();
    if (shared->signals.empty()) break;
    co_await shared->ended.wait_past(seen, std::chrono::steady_clock::time_point::max());
  }
}

asio::awaitable<void> run_all(asio::any_io_executor executor, std::string name,
                              std::vector<asio::awaitable<void>> work) {
  TaskGroup group(std::move(executor));
  for (auto& task : work) group.spawn(name, std::move(task));
  std::exception_ptr cancelled;
  try {
    co_await group.join();
  } catch (const boost::system::system_error&) {
    cancelled = std::current_exception();
  }
  const auto state = co_await asio::this_coro::cancellation_state;
  const bool aborted = cancelled || state.cancelled() != asio::cancellation_type::none;
  // A coroutine that was cancelled may not wait for anything: the end of the others is waited for without that.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await group.stop();
  co_await asio::this_coro::reset_cancellation_state();
  if (aborted) throw boost::system::system_error(asio::error::operation_aborted);
}

}  // namespace devstack
