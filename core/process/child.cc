#include "core/process/child.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>

#include "core/base/async/signal.h"
#include "core/base/async/task_group.h"
#include "core/process/child_impl.h"
#include "core/process/group.h"
#include "core/process/launch.h"

namespace devstack::process {
namespace {

using Time = std::chrono::steady_clock;
constexpr auto group_poll = std::chrono::milliseconds(10);
/// How long a killed process may stay in an uninterruptible system call before we stop waiting for it.
constexpr auto kill_limit = std::chrono::seconds(10);

asio::awaitable<void> nap(std::chrono::milliseconds span) {
  asio::steady_timer timer(co_await asio::this_coro::executor, span);
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

ExitStatus decode(int raw) {
  ExitStatus status;
  if (WIFSIGNALED(raw)) {
    status.signal = WTERMSIG(raw);
    status.code = 128 + status.signal;
  } else {
    status.code = WEXITSTATUS(raw);
  }
  return status;
}

}  // namespace

/// Waits for the end of the process and reaps it. It owns what it uses: a Child that is gone leaves no zombie behind.
asio::awaitable<void> ChildCore::watch(std::shared_ptr<ChildCore> core) {
  ExitStatus status;
  status.known = false;
  for (;;) {
    boost::system::error_code error;
    co_await core->pidfd.async_wait(asio::posix::stream_descriptor::wait_read,
                                    asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    // The wait may end early: between fork and exec a child holds copies of our descriptors, so epoll goes on reporting
    // ones that we have closed, and Asio takes the report for whoever has that place now. Blocking in waitpid would
    // stop the loop for as long as the process lives.
    if (!core->ours) {
      if (!alive(core->identity)) break;
      continue;
    }
    int raw = 0;
    const pid_t reaped = ::waitpid(core->identity.pid, &raw, WNOHANG);
    if (reaped == core->identity.pid) status = decode(raw);
    if (reaped != 0 && !(reaped < 0 && errno == EINTR)) break;
  }
  boost::system::error_code ignored;
  core->pidfd.close(ignored);
  core->status = status;
  core->ended.bump();
}

Result<std::shared_ptr<ChildCore>> ChildCore::open(const asio::any_io_executor& executor, const Identity& identity,
                                                   bool ours) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, identity.pid, 0U));
  if (fd < 0) {
    if (errno == ESRCH) return fail(Errc::not_found, "process {} is gone", identity.pid);
    return fail(Errc::io, "cannot watch process {}: {}", identity.pid, std::strerror(errno));
  }
  auto core = std::make_shared<ChildCore>(executor, identity, ours);
  boost::system::error_code error;
  core->pidfd.assign(fd, error);
  if (error) {
    ::close(fd);
    return fail(Errc::io, "cannot watch process {}: {}", identity.pid, error.message());
  }
  return core;
}

Result<std::shared_ptr<ChildCore>> ChildCore::start(const asio::any_io_executor& executor, const Spec& spec,
                                                    int output_fd) {
  TRY(const pid_t pid, launch(executor, spec, output_fd));
  // Not reaped yet, so /proc still has it even when it has ended already.
  Identity identity = identify(pid).value_or(Identity{pid, 0, {}});
  auto core = open(executor, identity, true);
  if (!core) {
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return tl::unexpected<Error>(std::move(core).error());
  }
  spawn(executor, "process: wait", watch(*core));
  return core;
}

bool ChildCore::group_lives() const {
  if (!status && ours) return true;
  // Nearly always nobody is left, and one call says so; whether somebody is a zombie only all of /proc tells.
  if (::kill(-identity.pid, 0) != 0 && errno == ESRCH) return false;
  // Once the leader is reaped its number may name a stranger, which then leads a group of the same number.
  const auto holder = identify(identity.pid);
  if (holder && *holder != identity) return false;
  return group_has_members(identity.pid);
}

void ChildCore::signal(int number) const {
  if (status && !group_lives()) return;
  if (!ours && !status && !alive(identity)) return;
  ::kill(-identity.pid, number);
}

asio::awaitable<bool> ChildCore::wait_until(std::shared_ptr<ChildCore> core, Time::time_point deadline) {
  const auto seen = core->ended.version();
  if (!core->status) co_await core->ended.wait_past(seen, deadline);
  co_return core->status.has_value();
}

asio::awaitable<bool> ChildCore::group_ended(std::shared_ptr<ChildCore> core, Time::time_point deadline) {
  const bool leader_ended = co_await wait_until(core, deadline);
  if (!leader_ended) co_return false;
  while (core->group_lives()) {
    if (Time::now() >= deadline) co_return false;
    co_await nap(group_poll);
  }
  co_return true;
}

struct Child::Impl {
  std::shared_ptr<ChildCore> core;
};

Child::Child(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Child::~Child() = default;

Result<std::unique_ptr<Child>> Child::start(asio::any_io_executor executor, Spec spec) {
  TRY(auto core, ChildCore::start(executor, spec, -1));
  return std::unique_ptr<Child>(new Child(std::make_shared<Impl>(Impl{std::move(core)})));
}

Result<std::unique_ptr<Child>> Child::adopt(asio::any_io_executor executor, const Identity& identity) {
  if (!alive(identity)) return fail(Errc::not_found, "process {} is gone", identity.pid);
  TRY(auto core, ChildCore::open(executor, identity, false));
  // The descriptor holds whoever has the pid now: look again before trusting it.
  if (!alive(identity)) return fail(Errc::not_found, "process {} is gone", identity.pid);
  spawn(executor, "process: wait", ChildCore::watch(core));
  return std::unique_ptr<Child>(new Child(std::make_shared<Impl>(Impl{std::move(core)})));
}

const Identity& Child::identity() const { return impl_->core->identity; }

asio::awaitable<ExitStatus> Child::wait() {
  const auto core = impl_->core;
  co_await ChildCore::wait_until(core, Time::time_point::max());
  ExitStatus unknown;
  unknown.known = false;
  co_return core->status.value_or(unknown);
}

void Child::signal(int number) { impl_->core->signal(number); }

asio::awaitable<ExitStatus> Child::stop(int stop_signal, std::chrono::milliseconds grace) {
  const auto core = impl_->core;
  core->signal(stop_signal);
  core->signal(SIGCONT);  // a stopped process hears nothing but SIGKILL
  const bool ended = co_await ChildCore::group_ended(core, Time::now() + grace);
  const bool cancelled = (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none;
  if (!ended && !cancelled) {
    core->signal(SIGKILL);
    co_await ChildCore::group_ended(core, Time::now() + kill_limit);
  }
  ExitStatus unknown;
  unknown.known = false;
  co_return core->status.value_or(unknown);
}

}  // namespace devstack::process
