#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

/// Names to addresses to connections, with the errors that Go's net package gives, since users of Consul know those by
/// heart and alert on them: `dial tcp 127.0.0.1:81: connect: connection refused`. Private to the room.
/// https://pkg.go.dev/net#Dial
namespace devstack::health {

namespace asio = boost::asio;

struct HostPort {
  std::string host, port;
};
/// "host:port", "[::1]:port". Errors: `address x: missing port in address`.
Result<HostPort> split_host_port(std::string_view text);
/// The reverse: brackets around IPv6 literals.
std::string join_host_port(std::string_view host, std::string_view port);

/// Every address of a name, at least one. `localhost` is never asked of the network (RFC 6761 §6.3). Errors: `lookup x:
/// no such host`, `lookup tcp/x: unknown port`, `lookup x: i/o timeout` (Errc::timeout) when the deadline came first.
asio::awaitable<Result<std::vector<asio::ip::tcp::endpoint>>> resolve(HostPort where,
                                                                      std::chrono::steady_clock::time_point deadline);

/// Until when to try the first of so many addresses, that a dead one leaves time for the others: an equal share of what
/// is left, but `least_share` at least, as Go divides it. Pure.
constexpr auto least_share = std::chrono::seconds(2);
std::chrono::steady_clock::time_point share_until(std::chrono::steady_clock::time_point now,
                                                  std::chrono::steady_clock::time_point deadline,
                                                  std::size_t addresses);

/// Connects to the first address that takes the connection. Errors: as above; when there was time to connect, that of
/// the first address, `dial tcp 10.0.0.1:80: i/o timeout` (Errc::timeout) when it did not answer in its share.
asio::awaitable<Result<std::unique_ptr<asio::ip::tcp::socket>>> dial(std::string address,
                                                                     std::chrono::steady_clock::time_point deadline);

/// A system's error as Go prints it: "connection refused". Takes the words that strerror has for it.
std::string go_words(std::string_view system_message);
/// "127.0.0.1:80", "[::1]:80".
std::string to_text(const asio::ip::tcp::endpoint& endpoint);

}  // namespace devstack::health
