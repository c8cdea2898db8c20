#include "core/net/interfaces.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>

namespace devstack::net {
namespace {

using asio::ip::address;
using asio::ip::address_v4;
using asio::ip::address_v6;

std::optional<address> to_address(const sockaddr* from) {
  if (from == nullptr) return std::nullopt;
  if (from->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, from, sizeof in);
    return address_v4(ntohl(in.sin_addr.s_addr));
  }
  if (from->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, from, sizeof in);
    address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
    return address_v6(bytes, in.sin6_scope_id);
  }
  return std::nullopt;
}

int prefix_length(const std::optional<address>& mask) {
  if (!mask) return 0;
  int bits = 0;
  const auto count = [&bits](const auto& bytes) {
    for (const unsigned char byte : bytes) bits += std::popcount(byte);
  };
  if (mask->is_v4()) {
    count(mask->to_v4().to_bytes());
  } else {
    count(mask->to_v6().to_bytes());
  }
  return bits;
}

bool is_docker_bridge(std::string_view name) { return name.starts_with("docker") || name.starts_with("br-"); }

bool is_global(const address& a) {
  if (a.is_loopback() || a.is_unspecified() || a.is_multicast()) return false;
  if (a.is_v4()) return (a.to_v4().to_uint() >> 16) != 0xa9fe;  // 169.254/16 is link-local
  return !a.to_v6().is_link_local();
}

/// The source address the kernel would use to reach `target`; connecting a UDP socket sends nothing.
template <class Sockaddr>
std::optional<address> source_towards(const Sockaddr& target, int family) {
  const int fd = ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::nullopt;
  std::optional<address> out;
  Sockaddr own{};
  socklen_t size = sizeof own;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&target), sizeof target) == 0 &&
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size) == 0) {
    out = to_address(reinterpret_cast<const sockaddr*>(&own));
  }
  ::close(fd);
  if (out && !is_global(*out)) return std::nullopt;
  return out;
}

std::optional<address> default_route_source() {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(9);
  v4.sin_addr.s_addr = htonl(0xc6336401);  // 198.51.100.1, TEST-NET-2: only the default route leads there
  if (const auto found = source_towards(v4, AF_INET)) return found;
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(9);
  ::inet_pton(AF_INET6, "2001:db8::1", &v6.sin6_addr);
  return source_towards(v6, AF_INET6);
}

}  // namespace

Result<std::vector<InterfaceAddress>> interface_addresses() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return fail(Errc::io, "cannot list network interfaces: {}", std::strerror(errno));
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  std::vector<InterfaceAddress> out;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (const auto found = to_address(at->ifa_addr)) {
      out.push_back({at->ifa_name, *found, prefix_length(to_address(at->ifa_netmask))});
    }
  }
  return out;
}

std::optional<address> address_of(std::string_view interface) {
  const auto all = interface_addresses();
  if (!all) return std::nullopt;
  for (const auto& one : *all) {
    if (one.interface == interface && one.address.is_v4()) return one.address;
  }
  return std::nullopt;
}

std::optional<address> primary_address() {
  if (const auto found = default_route_source()) return found;
  const auto all = interface_addresses();
  if (!all) return std::nullopt;
  for (const bool v4 : {true, false}) {
    for (const auto& one : *all) {
      if (one.address.is_v4() == v4 && is_global(one.address) && !is_docker_bridge(one.interface)) return one.address;
    }
  }
  return std::nullopt;
}

}  // namespace devstack::net
