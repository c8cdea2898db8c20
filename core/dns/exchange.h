#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/udp.hpp>
#include <chrono>
#include <cstdint>
#include <vector>

#include "core/base/result.h"
#include "core/dns/codec.h"
#include "core/net/port_holder.h"

namespace devstack::dns {

namespace asio = boost::asio;
using Endpoint = asio::ip::udp::endpoint;

/// "172.17.0.1:53", "[::1]:8600".
std::string to_text(const Endpoint& endpoint);

/// Sends one message to one server and returns its reply, as bytes. A UDP socket of its own with a port of the kernel's
/// choice; what comes from elsewhere, or with another id or question, is not taken for the reply (RFC 5452).
/// Errc::timeout at `limit`, Errc::unavailable when the server is not there. Any executor; nothing outlives the call.
asio::awaitable<Result<std::vector<std::uint8_t>>> exchange(Endpoint server, std::vector<std::uint8_t> query,
                                                            net::Transport transport, std::chrono::milliseconds limit);

/// Whether `reply` answers `query`: QR, the same id, and the same question without regard to case. Pure.
bool answers(Bytes reply, Bytes query);

}  // namespace devstack::dns
