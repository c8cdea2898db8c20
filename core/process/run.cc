#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>

#include "core/base/async/task_group.h"
#include "core/base/duration.h"
#include "core/process/child.h"
#include "core/process/child_impl.h"

namespace devstack::process {
namespace {

/// The end of a command's output, read as it comes. Bytes are only taken from the pipe in the step that keeps them, so
/// that the last read after the command's end loses nothing to a read under way.
struct Output {
  Output(const asio::any_io_executor& executor, std::size_t bytes) : pipe(executor), limit(bytes) {}
  asio::posix::stream_descriptor pipe;
  std::size_t limit;
  std::string tail;
  std::uint64_t written = 0;

  /// Takes what is there now, at most `rounds` reads; false at the end of the stream.
  bool read_some(int rounds) {
    std::array<char, 16384> buffer{};
    for (; rounds > 0 && pipe.is_open(); --rounds) {
      const ssize_t got = ::read(pipe.native_handle(), buffer.data(), buffer.size());
      if (got == 0) return false;
      if (got < 0) return errno == EAGAIN || errno == EINTR;
      tail.append(buffer.data(), static_cast<std::size_t>(got));
      written += static_cast<std::uint64_t>(got);
      // Cut in large steps, so that a chatty command does not cost a move of the whole text for each read.
      if (tail.size() > 2 * limit + buffer.size()) tail.erase(0, tail.size() - limit);
    }
    return pipe.is_open();
  }
  void finish() {
    read_some(64);  // a pipe holds less; a background child that writes without end does not keep us
    close();
    if (tail.size() > limit) tail.erase(0, tail.size() - limit);
  }
  void close() {
    boost::system::error_code ignored;
    pipe.close(ignored);
  }
};

asio::awaitable<void> collect(std::shared_ptr<Output> output) {
  boost::system::error_code error;
  while (!error && output->read_some(16)) {
    co_await output->pipe.async_wait(asio::posix::stream_descriptor::wait_read,
                                     asio::redirect_error(asio::use_awaitable, error));
  }
}

/// Leaves nothing behind when the caller is cancelled.
struct KillUnlessFinished {
  std::shared_ptr<ChildCore> core;
  std::shared_ptr<Output> output;
  ~KillUnlessFinished() {
    if (core) core->signal(SIGKILL);
    output->close();
  }
};

/// What outlives the command in its group.
enum class Leftovers { keep, kill };

asio::awaitable<Result<Captured>> finish(Spec spec, std::chrono::milliseconds timeout, std::size_t output_bytes,
                                         Leftovers leftovers) {
  const auto executor = co_await asio::this_coro::executor;
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) co_return fail(Errc::io, "cannot make a pipe: {}", std::strerror(errno));
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  auto output = std::make_shared<Output>(executor, output_bytes);
  boost::system::error_code error;
  output->pipe.assign(ends[0], error);
  auto started = ChildCore::start(executor, spec, ends[1]);
  ::close(ends[1]);
  if (error) ::close(ends[0]);
  if (!started) {
    output->close();
    co_return tl::unexpected<Error>(std::move(started).error());
  }
  KillUnlessFinished guard{*started, output};
  const auto core = *started;
  if (error) co_return fail(Errc::io, "cannot read the output of {}: {}", spec.argv[0], error.message());
  spawn(executor, "process: output", collect(output));

  Captured captured;
  const bool ended = co_await ChildCore::wait_until(core, std::chrono::steady_clock::now() + timeout);
  captured.timed_out = !ended;
  if (!ended || leftovers == Leftovers::kill) core->signal(SIGKILL);
  if (!ended) co_await ChildCore::group_ended(core, std::chrono::steady_clock::now() + std::chrono::seconds(2));
  guard.core.reset();
  output->finish();
  if (ended) captured.exit_code = core->status->code;
  captured.output = std::move(output->tail);
  captured.written = output->written;
  co_return captured;
}

}  // namespace

asio::awaitable<Result<Finished>> run(Spec spec, std::chrono::milliseconds timeout, std::size_t output_bytes) {
  const std::string name = spec.argv.empty() ? std::string() : spec.argv[0];
  CO_TRY(auto captured, co_await finish(std::move(spec), timeout, output_bytes, Leftovers::keep));
  if (captured.timed_out) {
    co_return fail(Errc::timeout, "{} did not end within {} and was killed", name, format_duration(timeout));
  }
  Finished finished;
  finished.exit_code = captured.exit_code;
  finished.output = std::move(captured.output);
  co_return finished;
}

asio::awaitable<Result<Captured>> capture(Spec spec, std::chrono::milliseconds timeout, std::size_t output_bytes) {
  return finish(std::move(spec), timeout, output_bytes, Leftovers::kill);
}

}  // namespace devstack::process
