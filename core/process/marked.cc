#include "core/process/marked.h"

#include <dirent.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

#include "core/process/child.h"

namespace devstack::process {
namespace {

using Time = std::chrono::steady_clock;
constexpr auto poll = std::chrono::milliseconds(10);
constexpr auto kill_limit = std::chrono::seconds(10);

bool carries(pid_t pid, const std::string& marker) {
  std::ifstream in(fmt::format("/proc/{}/environ", pid), std::ios::binary);
  const std::string block((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  for (std::size_t at = 0; at < block.size();) {
    const auto end = std::min(block.find('\0', at), block.size());
    if (std::string_view(block).substr(at, end - at) == marker) return true;
    at = end + 1;
  }
  return false;
}

/// Through a descriptor, and looked at once more behind it: the number may be somebody else's by now.
void send(pid_t pid, const std::string& marker, int number) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U));
  if (fd < 0) return;
  if (carries(pid, marker)) {
    ::syscall(SYS_pidfd_send_signal, fd, number, nullptr, 0U);
    ::syscall(SYS_pidfd_send_signal, fd, SIGCONT, nullptr, 0U);  // a stopped process hears nothing but SIGKILL
  }
  ::close(fd);
}

asio::awaitable<void> nap() {
  asio::steady_timer timer(co_await asio::this_coro::executor, poll);
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace

std::string new_marker(const std::string& name) {
  std::uint64_t parts[2] = {};
  // Without random bytes (it cannot fail for so few) the pid and the time still tell runs apart.
  if (::getrandom(parts, sizeof parts, 0) != static_cast<ssize_t>(sizeof parts)) {
    parts[0] = static_cast<std::uint64_t>(::getpid());
    parts[1] = static_cast<std::uint64_t>(Time::now().time_since_epoch().count());
  }
  return fmt::format("{}={:016x}{:016x}", name, parts[0], parts[1]);
}

std::vector<pid_t> marked(const std::string& marker) {
  std::vector<pid_t> found;
  DIR* proc = marker.empty() ? nullptr : ::opendir("/proc");
  if (proc == nullptr) return found;
  while (const dirent* entry = ::readdir(proc)) {
    if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])) == 0) continue;
    const auto pid = static_cast<pid_t>(std::atoi(entry->d_name));
    if (carries(pid, marker) && identify(pid)) found.push_back(pid);
  }
  ::closedir(proc);
  return found;
}

void signal_marked(const std::string& marker, int number, pid_t except_group) {
  for (const pid_t pid : marked(marker)) {
    if (::getpgid(pid) != except_group) send(pid, marker, number);
  }
}

asio::awaitable<Result<void>> end_marked(std::string marker, int stop_signal, std::chrono::milliseconds grace) {
  const auto kill_from = Time::now() + grace;
  std::vector<pid_t> left;
  for (;;) {
    std::erase_if(left, [&](pid_t pid) { return !carries(pid, marker) || !identify(pid); });
    // Again from the start: one that is gone may have forked another while it was looked for.
    if (left.empty()) left = marked(marker);
    if (left.empty()) co_return Result<void>();
    const auto now = Time::now();
    if (now >= kill_from + kill_limit) {
      co_return fail(Errc::failed, "process {} does not end, not even by SIGKILL", fmt::join(left, ", "));
    }
    const int number = now >= kill_from ? SIGKILL : std::exchange(stop_signal, 0);
    for (const pid_t pid : left) send(pid, marker, number);
    co_await nap();
  }
}

}  // namespace devstack::process
