#include "core/base/async/directory_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "core/base/async/task_group.h"

namespace devstack {
namespace {

constexpr std::uint32_t kEvents =
    IN_MODIFY | IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;
constexpr std::size_t kMostPaths = 1024;

}  // namespace

struct DirectoryWatch::Impl {
  explicit Impl(const asio::any_io_executor& executor) : inotify(executor), changed(executor) {}

  void note(const std::string& path) {
    if (paths.size() < kMostPaths) {
      paths.insert(path);
    } else {
      for (const auto& [watch, folder] : folders) paths.insert(folder);
    }
  }

  void take_events(const char* bytes, std::size_t size) {
    std::size_t at = 0;
    while (at + sizeof(inotify_event) <= size) {
      inotify_event event{};
      std::memcpy(&event, bytes + at, sizeof event);
      const char* name = bytes + at + sizeof event;
      const auto folder = folders.find(event.wd);
      if ((event.mask & IN_Q_OVERFLOW) != 0) {
        for (const auto& [watch, path] : folders) note(path);
      } else if (folder != folders.end()) {
        note(event.len == 0 ? folder->second : folder->second + "/" + name);
      }
      at += sizeof event + event.len;
    }
    changed.bump();
  }

  /// Owns what it uses; the owner's end closes the descriptor, which ends it.
  static asio::awaitable<void> watch(std::shared_ptr<Impl> impl) {
    std::array<char, 16384> buffer{};
    while (impl->inotify.is_open()) {
      boost::system::error_code error;
      co_await impl->inotify.async_wait(asio::posix::stream_descriptor::wait_read,
                                        asio::redirect_error(asio::use_awaitable, error));
      if (error || !impl->inotify.is_open()) co_return;
      const auto got = ::read(impl->inotify.native_handle(), buffer.data(), buffer.size());
      if (got > 0) impl->take_events(buffer.data(), static_cast<std::size_t>(got));
    }
  }

  asio::posix::stream_descriptor inotify;
  Signal changed;
  std::map<int, std::string> folders;
  std::set<std::string> paths;
};

DirectoryWatch::DirectoryWatch(const asio::any_io_executor& executor) : impl_(std::make_shared<Impl>(executor)) {
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) return;  // add() says so
  impl_->inotify.assign(fd);
  spawn(executor, "watch folders", Impl::watch(impl_));
}

DirectoryWatch::~DirectoryWatch() { close(); }

void DirectoryWatch::close() {
  boost::system::error_code ignored;
  impl_->inotify.close(ignored);
}

Result<void> DirectoryWatch::add(const std::string& folder) {
  if (!impl_->inotify.is_open()) return fail(Errc::io, "the system has no inotify instance left");
  const int watch = ::inotify_add_watch(impl_->inotify.native_handle(), folder.c_str(), kEvents);
  if (watch < 0) return fail(Errc::io, "cannot watch {}: {}", folder, std::strerror(errno));
  impl_->folders[watch] = folder;
  return {};
}

Signal& DirectoryWatch::changed() { return impl_->changed; }
std::set<std::string> DirectoryWatch::take() { return std::exchange(impl_->paths, {}); }

}  // namespace devstack
