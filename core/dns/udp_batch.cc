#include "core/dns/udp_batch.h"

#include <netinet/in.h>

#include <cerrno>
#include <cstring>

namespace devstack::dns {

boost::asio::ip::address client_of(const Peer& peer) {
  const auto* address = &peer.address;
  if (address->ss_family == AF_INET6) {
    boost::asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, bytes.size());
    return boost::asio::ip::address_v6(bytes);
  }
  return boost::asio::ip::address_v4(ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr));
}

void send_reply(int socket, const Peer& peer, Bytes reply) {
  Peer to = peer;
  iovec vector{const_cast<std::uint8_t*>(reply.data()), reply.size()};
  msghdr message{};
  message.msg_name = &to.address;
  message.msg_namelen = to.address_bytes;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = to.control_bytes == 0 ? nullptr : to.control.data();
  message.msg_controllen = to.control_bytes;
  [[maybe_unused]] const auto sent = ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

UdpBatch::UdpBatch() : requests_(capacity * request_bytes), replies_(reply_arena_bytes) {
  for (std::size_t i = 0; i < capacity; ++i) {
    in_vectors_[i] = {requests_.data() + i * request_bytes, request_bytes};
    in_[i].msg_hdr.msg_iov = &in_vectors_[i];
    in_[i].msg_hdr.msg_iovlen = 1;
    out_[i].msg_hdr.msg_iov = &out_vectors_[i];
    out_[i].msg_hdr.msg_iovlen = 1;
  }
}

std::size_t UdpBatch::receive(int socket) {
  for (std::size_t i = 0; i < capacity; ++i) {
    msghdr& header = in_[i].msg_hdr;
    header.msg_name = &peers_[i].address;
    header.msg_namelen = sizeof peers_[i].address;
    header.msg_control = peers_[i].control.data();
    header.msg_controllen = peers_[i].control.size();
    header.msg_flags = 0;
  }
  int count = -1;
  do {
    count = ::recvmmsg(socket, in_.data(), capacity, MSG_DONTWAIT, nullptr);
  } while (count < 0 && errno == EINTR);
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

Bytes UdpBatch::request(std::size_t index) const {
  if ((in_[index].msg_hdr.msg_flags & MSG_TRUNC) != 0) return {};
  return Bytes(requests_).subspan(index * request_bytes, in_[index].msg_len);
}

Peer UdpBatch::peer(std::size_t index) const {
  Peer out = peers_[index];
  out.address_bytes = in_[index].msg_hdr.msg_namelen;
  out.control_bytes = in_[index].msg_hdr.msg_controllen;
  return out;
}

std::span<std::uint8_t> UdpBatch::room(int socket) {
  if (replies_.size() - used_ < max_message_bytes) send(socket);
  return std::span(replies_).subspan(used_, max_message_bytes);
}

void UdpBatch::queue(std::size_t index, std::size_t size) {
  const msghdr& from = in_[index].msg_hdr;
  msghdr& to = out_[queued_].msg_hdr;
  out_vectors_[queued_] = {replies_.data() + used_, size};
  to.msg_name = from.msg_name;
  to.msg_namelen = from.msg_namelen;
  to.msg_control = from.msg_controllen == 0 ? nullptr : from.msg_control;
  to.msg_controllen = from.msg_controllen;
  ++queued_;
  used_ += size;
}

void UdpBatch::send(int socket) {
  for (std::size_t at = 0; at < queued_;) {
    const int sent =
        ::sendmmsg(socket, out_.data() + at, static_cast<unsigned>(queued_ - at), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      at += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      break;  // the send buffer is full: the clients ask again
    } else if (errno != EINTR) {
      ++at;  // this one cannot be sent (its host is gone); the others can
    }
  }
  queued_ = 0;
  used_ = 0;
}

}  // namespace devstack::dns
