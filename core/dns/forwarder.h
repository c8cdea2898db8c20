#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>

#include "core/dns/recursors.h"

namespace devstack::dns {

/// Asks recursors on behalf of our clients: the message as it came, with an id of our own; one server after another,
/// those that failed in the last ten seconds at the end. NOERROR and NXDOMAIN are final, other codes and silence move
/// on to the next. No cache. One thread (the DNS server's); its calls end before it does.
class Forwarder {
 public:
  static constexpr std::size_t max_in_flight = 1024;

  Forwarder(Recursors recursors, std::chrono::milliseconds limit_per_server)
      : recursors_(std::move(recursors)), limit_(limit_per_server) {}

  /// Tells which endpoints are our own, so that we never ask ourselves.
  std::function<bool(const Endpoint&)> own = [](const Endpoint&) { return false; };

  /// The final reply, with the id of `query`; empty when there was none, no recursor is known, or too much is in flight
  /// already. A client on TCP gets what a truncated reply left out.
  asio::awaitable<std::optional<std::vector<std::uint8_t>>> ask(std::vector<std::uint8_t> query, net::Transport client);
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }

 private:
  std::vector<Endpoint> in_order();
  asio::awaitable<Result<std::vector<std::uint8_t>>> ask_one(Endpoint server, std::vector<std::uint8_t> query,
                                                             net::Transport client);

  Recursors recursors_;
  std::chrono::milliseconds limit_;
  std::size_t in_flight_ = 0;
  std::map<Endpoint, std::chrono::steady_clock::time_point> failed_at_;
};

}  // namespace devstack::dns
