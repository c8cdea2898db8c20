#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The texts of /proc that tell who holds a port. Pure; any thread. Private to core/net.
namespace devstack::net {

/// Inodes of the sockets of a /proc/net/{tcp,tcp6,udp,udp6} table that are bound to local `port`; of TCP only the
/// listening ones (proc(5)).
enum class SocketState { listening, any };
std::vector<std::uint64_t> socket_inodes(std::string_view table, std::uint16_t port, SocketState state);

/// Local addresses of the listening rows of a /proc/net/{tcp,tcp6} table with that port, as text: "127.0.0.1", "::".
std::vector<std::string> listening_addresses(std::string_view table, std::uint16_t port);

/// The number in "socket:[12345]", the target of a link in /proc/PID/fd.
std::optional<std::uint64_t> socket_inode(std::string_view link);

/// What a docker-proxy publishes, from its command line (/proc/PID/cmdline, arguments ended by NUL):
/// "172.17.0.2:80". Empty when it does not say.
std::string docker_proxy_target(std::string_view cmdline);

}  // namespace devstack::net
