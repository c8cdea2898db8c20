#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>

#include "core/dns/exchange.h"
#include "core/dns/message.h"

namespace devstack::dns {

/// Asks one server one question: what `devstack dns query NAME TYPE` does. Over UDP with EDNS (1232 bytes); a truncated
/// reply is asked for again over TCP. A reply with any rcode is a result; errors are those of `exchange`, or
/// Errc::parse. Any executor. Print the reply with to_text(Message).
asio::awaitable<Result<Message>> query(Endpoint server, Name name, Type type,
                                       net::Transport transport = net::Transport::udp,
                                       std::chrono::milliseconds limit = std::chrono::seconds(5));

/// Unpredictable, for message ids (RFC 5452 §4.3). Any thread.
std::uint16_t random_id();

}  // namespace devstack::dns
