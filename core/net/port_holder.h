#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace devstack::net {

enum class Transport { tcp, udp };

/// Who holds a port, in words for an error message: "nginx (pid 812)", "container web (docker-proxy, pid 900)", or
/// "another program" when /proc does not tell. Reads /proc/net/{tcp,udp}{,6} and /proc/*/fd. Any thread.
std::string port_holder(Transport transport, std::uint16_t port);

/// The address that a program of this machine listens on at a TCP port: "0.0.0.0" when it is every one, else the first
/// found; nothing while nobody listens. Any thread.
std::optional<std::string> listening_address(std::uint16_t port);

/// Errc::port_taken: `port 53/udp on 172.17.0.1 is taken by dnsmasq (pid 812): stop it, or set dns.port in stack.yaml`.
/// `setting` is the stack-file key that moves the port.
Error port_taken(Transport transport, std::string_view address, std::uint16_t port, std::string_view setting);

}  // namespace devstack::net
