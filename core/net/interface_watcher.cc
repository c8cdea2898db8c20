#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>

#include "core/base/async/task_group.h"
#include "core/net/interfaces.h"

namespace devstack::net {

struct InterfaceWatcher::Impl {
  explicit Impl(const asio::any_io_executor& executor) : socket(executor), changed(executor), tasks(executor) {}

  asio::awaitable<void> watch() {
    for (;;) {
      boost::system::error_code error;
      co_await socket.async_wait(asio::posix::stream_descriptor::wait_read,
                                 asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return;
      if (drain()) changed.bump();
    }
  }

  /// Reads what is there; true when it tells of an address. Messages lost to a full buffer count as one.
  bool drain() {
    bool address_changed = false;
    alignas(nlmsghdr) std::array<char, 16384> buffer;
    for (;;) {
      const ssize_t size = ::recv(socket.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && errno == ENOBUFS) {
        address_changed = true;
        continue;
      }
      if (size <= 0) return address_changed;
      auto left = static_cast<unsigned>(size);
      for (std::size_t at = 0; left >= sizeof(nlmsghdr);) {
        nlmsghdr header;
        std::memcpy(&header, buffer.data() + at, sizeof header);
        if (header.nlmsg_len < sizeof header || header.nlmsg_len > left) break;
        if (header.nlmsg_type == RTM_NEWADDR || header.nlmsg_type == RTM_DELADDR) address_changed = true;
        const unsigned step = std::min(left, (header.nlmsg_len + 3U) & ~3U);
        at += step;
        left -= step;
      }
    }
  }

  asio::posix::stream_descriptor socket;
  Signal changed;
  TaskGroup tasks;
};

InterfaceWatcher::InterfaceWatcher(asio::any_io_executor executor) : impl_(std::make_unique<Impl>(executor)) {}
InterfaceWatcher::~InterfaceWatcher() = default;

Result<void> InterfaceWatcher::start() {
  if (impl_->socket.is_open()) return {};
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  if (fd < 0) return fail(Errc::io, "cannot watch network interfaces: {}", std::strerror(errno));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    ::close(fd);
    return fail(Errc::io, "cannot watch network interfaces: {}", std::strerror(error));
  }
  boost::system::error_code error;
  impl_->socket.assign(fd, error);
  if (error) {
    ::close(fd);
    return fail(Errc::io, "cannot watch network interfaces: {}", error.message());
  }
  impl_->tasks.spawn("net: interfaces", impl_->watch());
  return {};
}

asio::awaitable<void> InterfaceWatcher::stop() {
  boost::system::error_code ignored;
  impl_->socket.close(ignored);
  co_await impl_->tasks.stop();
}

Signal& InterfaceWatcher::changed() { return impl_->changed; }

}  // namespace devstack::net
