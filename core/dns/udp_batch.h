#pragma once

#include <sys/socket.h>

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/dns/codec.h"

namespace devstack::dns {

/// Where a datagram came from, and where it arrived: what is needed to answer it. The control data (IP_PKTINFO, when
/// the socket asks for it) makes the reply leave from the address that was asked.
struct Peer {
  sockaddr_storage address{};
  socklen_t address_bytes = 0;
  std::array<char, 64> control{};
  std::size_t control_bytes = 0;
};

boost::asio::ip::address client_of(const Peer& peer);

/// Sends one reply; what the socket cannot take now is lost, as datagrams may be.
void send_reply(int socket, const Peer& peer, Bytes reply);

/// Receives and sends up to 64 datagrams with one system call each, and allocates nothing while it does. Used from one
/// receive to the next send without waiting in between. Private to core/dns.
class UdpBatch {
 public:
  static constexpr std::size_t capacity = 64;

  UdpBatch();
  UdpBatch(const UdpBatch&) = delete;
  UdpBatch& operator=(const UdpBatch&) = delete;

  /// How many datagrams were there; 0 when none. `socket` is non-blocking.
  std::size_t receive(int socket);
  /// Empty when the datagram was longer than any query is.
  [[nodiscard]] Bytes request(std::size_t index) const;
  [[nodiscard]] Peer peer(std::size_t index) const;
  [[nodiscard]] boost::asio::ip::address client(std::size_t index) const { return client_of(peers_[index]); }

  /// Where to write the next reply: room for the longest there is. May send what is queued to make it.
  std::span<std::uint8_t> room(int socket);
  /// The first `size` bytes of room() answer request `index`.
  void queue(std::size_t index, std::size_t size);
  void send(int socket);

 private:
  static constexpr std::size_t request_bytes = 4096;
  static constexpr std::size_t reply_arena_bytes = 4 * max_message_bytes;

  std::vector<std::uint8_t> requests_;
  std::vector<std::uint8_t> replies_;
  std::size_t used_ = 0;    // of replies_
  std::size_t queued_ = 0;  // of out_
  std::array<Peer, capacity> peers_;
  std::array<iovec, capacity> in_vectors_{}, out_vectors_{};
  std::array<mmsghdr, capacity> in_{}, out_{};
};

}  // namespace devstack::dns
