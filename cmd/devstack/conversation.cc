#include "cmd/devstack/conversation.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "core/base/async/task_group.h"

namespace devstack {
namespace {

/// Keys go to the command as they are pressed, Ctrl-C too; the old mode is back when this goes.
class RawTerminal {
 public:
  RawTerminal() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios raw = before_;
    ::cfmakeraw(&raw);
    changed_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
  }
  ~RawTerminal() {
    if (changed_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  termios before_{};
  bool changed_ = false;
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::optional<docker::TerminalSize> terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return std::nullopt;
  return docker::TerminalSize{size.ws_row, size.ws_col};
}

asio::awaitable<void> tell_size(docker::Session& session) {
  // A command that is not there yet, or any more, needs no size.
  if (const auto size = terminal_size()) co_await session.resize(*size);
}

asio::awaitable<void> follow_size(docker::Session& session) {
  asio::signal_set changes(co_await asio::this_coro::executor, SIGWINCH);
  co_await tell_size(session);
  for (;;) {
    co_await changes.async_wait(asio::use_awaitable);
    co_await tell_size(session);
  }
}

/// Files and /dev/null cannot be waited for, but neither do they make anybody wait.
asio::awaitable<void> pass_file(docker::Session& session) {
  std::array<char, 32768> buffer{};
  for (;;) {
    const auto got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    const auto written = co_await session.write(std::string(buffer.data(), static_cast<std::size_t>(got)));
    if (!written) co_return;
  }
  session.end_input();
}

asio::awaitable<void> pass_input(docker::Session& session) {
  asio::posix::stream_descriptor input(co_await asio::this_coro::executor);
  boost::system::error_code error;
  const int copy = ::dup(STDIN_FILENO);
  input.assign(copy, error);
  if (error) {
    if (copy >= 0) ::close(copy);
    co_await pass_file(session);
    co_return;
  }
  std::array<char, 32768> buffer{};
  for (;;) {
    const auto got =
        co_await input.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    const auto written = co_await session.write(std::string(buffer.data(), got));
    if (!written) co_return;
  }
  session.end_input();
}

asio::awaitable<Result<int>> copy_output(docker::Session& session) {
  for (;;) {
    CO_TRY(const auto piece, co_await session.read());
    if (!piece) break;
    const int fd = piece->stream == docker::LogStream::out ? STDOUT_FILENO : STDERR_FILENO;
    if (!write_all(fd, piece->bytes)) co_return fail(Errc::io, "cannot write: {}", std::strerror(errno));
  }
  co_return co_await session.exit_code();
}

asio::awaitable<int> wait_signal(const ConversationOptions& options) {
  asio::signal_set signals(co_await asio::this_coro::executor, SIGINT, SIGTERM, SIGHUP);
  signals.add(SIGQUIT);
  for (;;) {
    const int number = co_await signals.async_wait(asio::use_awaitable);
    if (!options.on_signal) co_return number;
    co_await options.on_signal(number);
  }
}

}  // namespace

bool stdin_is_terminal() { return ::isatty(STDIN_FILENO) == 1; }

asio::awaitable<Result<int>> converse(docker::Session& session, ConversationOptions options) {
  using namespace asio::experimental::awaitable_operators;
  const auto executor = co_await asio::this_coro::executor;
  std::optional<RawTerminal> raw;
  TaskGroup tasks(executor);
  if (options.tty && stdin_is_terminal()) raw.emplace();
  if (options.tty) tasks.spawn("terminal size", follow_size(session));
  if (options.input) tasks.spawn("input", pass_input(session));
  auto first = co_await (copy_output(session) || wait_signal(options));
  co_await tasks.stop();
  if (auto* ended = std::get_if<0>(&first)) co_return std::move(*ended);
  co_return 128 + std::get<1>(first);
}

}  // namespace devstack
